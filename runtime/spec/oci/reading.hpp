// What the parsers of the spec's parts share: bounded numbers, lists of words, sections. Errors carry the JSON pointer.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/json_words.hpp"
#include "base/result.hpp"
#include "isolation/types.hpp"
#include "runtime/spec/oci/config.hpp"

namespace warren::spec::oci {

// (uid_t)-1 is no id: it means "do not change" to setresuid(2) and chown(2).
inline constexpr std::uint64_t kMaxId = 0xfffffffeU;
inline constexpr std::uint64_t kMaxMajor = (1U << 12) - 1;  // of the kernel's dev_t
inline constexpr std::uint64_t kMaxMinor = (1U << 20) - 1;

// The member's pointer, the key escaped (RFC 6901).
[[nodiscard]] std::string place_of(const base::JsonReader& reader, std::string_view key);
[[nodiscard]] std::string place_of(const base::JsonReader& reader,
                                   std::string_view key,
                                   std::size_t index);

// A member object that is there and not empty.
[[nodiscard]] base::Result<std::optional<base::JsonReader>> section(const base::JsonReader& reader,
                                                                    const char* key);

[[nodiscard]] base::Result<std::uint64_t> uint_up_to(const base::JsonReader& reader,
                                                     const char* key,
                                                     std::uint64_t max);
[[nodiscard]] base::Result<std::optional<std::uint64_t>> optional_uint_up_to(
    const base::JsonReader& reader, const char* key, std::uint64_t max);
[[nodiscard]] base::Result<std::optional<std::int64_t>> optional_integer_within(
    const base::JsonReader& reader, const char* key, std::int64_t min, std::int64_t max);

// Absent: `otherwise`.
template <typename T>
[[nodiscard]] base::Result<T> uint_or(const base::JsonReader& reader,
                                      const char* key,
                                      T otherwise,
                                      std::uint64_t max = std::numeric_limits<T>::max()) {
    return static_cast<T>(TRY(optional_uint_up_to(reader, key, max)).value_or(otherwise));
}

template <typename T>
[[nodiscard]] base::Result<std::optional<T>> optional_uint_of(const base::JsonReader& reader,
                                                              const char* key) {
    const auto value = TRY(optional_uint_up_to(reader, key, std::numeric_limits<T>::max()));
    return value ? std::optional<T>(static_cast<T>(*value)) : std::nullopt;
}

// Absent: empty.
[[nodiscard]] base::Result<std::string> text(const base::JsonReader& reader, const char* key);
// The same for what the kernel reads as one line: no control characters.
[[nodiscard]] base::Result<std::string> line(const base::JsonReader& reader, const char* key);
// Absent: false.
[[nodiscard]] base::Result<bool> flag(const base::JsonReader& reader, const char* key);
// Absent: empty.
[[nodiscard]] base::Result<std::vector<std::uint32_t>> ids(const base::JsonReader& reader,
                                                           const char* key);

[[nodiscard]] base::Status refuse_control(std::string_view text, const std::string& place);

// The bits of the words of an array; absent: 0.
template <typename E, std::size_t N>
[[nodiscard]] base::Result<E> bits_of_words(const base::JsonReader& reader,
                                            const char* key,
                                            const base::Words<E, N>& words) {
    E bits = 0;
    const auto texts = TRY(reader.strings(key));
    for (std::size_t i = 0; i < texts.size(); ++i) {
        bits |= TRY(base::value_of(words, texts[i], place_of(reader, key, i)));
    }
    return bits;
}

// The members of an object whose values are objects, with their keys, in the text's order.
struct NamedReader {
    std::string name;
    base::JsonReader reader;
};

[[nodiscard]] base::Result<std::vector<NamedReader>> named_objects(const base::JsonReader& reader,
                                                                   const char* key);

// uidMappings and gidMappings.
[[nodiscard]] base::Result<isolation::IdMap> read_id_map(const base::JsonReader& reader);

// The parts of parse_config().
[[nodiscard]] base::Result<Process> read_process(const base::JsonReader& reader);
[[nodiscard]] base::Result<Linux> read_linux(const base::JsonReader& reader);
[[nodiscard]] base::Result<std::optional<Seccomp>> read_seccomp(const base::JsonReader& linux);
[[nodiscard]] base::Result<cgroups::Resources> read_resources(const base::JsonReader& reader);

}  // namespace warren::spec::oci
