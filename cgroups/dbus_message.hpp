// Messages of D-Bus (its specification, "Message Protocol"), as far as a client of systemd's manager needs them. Pure.
//
// In our own byte order, which every peer must take; peers on this host have the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.hpp"

namespace warren::cgroups {

enum class DbusType : std::uint8_t { Call = 1, Return = 2, Error = 3, Signal = 4 };

struct DbusMessage {
    DbusType type = DbusType::Call;
    std::uint32_t serial = 0;        // of the sender's; never 0
    std::uint32_t reply_serial = 0;  // of the call that is answered
    std::string path;
    std::string interface;
    std::string member;
    std::string error_name;
    std::string destination;
    std::string sender;     // set by the bus: without one there is none
    std::string signature;  // of the body
    std::string body;
    bool operator==(const DbusMessage&) const = default;
};

// Values one after the other, each at its alignment.
class DbusWriter {
public:
    // Byte, (u)int16/32/64 or double.
    template <typename T>
    void number(T value) {
        static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
        align(sizeof(T));
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
    }

    void boolean(bool value) { number(std::uint32_t{value ? 1U : 0U}); }

    void string(std::string_view value);  // an object path too
    void signature(std::string_view value);

    void raw(std::string_view bytes) { bytes_ += bytes; }

    void align(std::size_t to);

    // An array whose elements are aligned to `alignment`: `elements()` writes them.
    template <typename F>
    void array(std::size_t alignment, const F& elements) {
        number(std::uint32_t{0});
        const std::size_t length_at = bytes_.size() - sizeof(std::uint32_t);
        align(alignment);
        const std::size_t begin = bytes_.size();
        elements();
        const auto length = static_cast<std::uint32_t>(bytes_.size() - begin);
        std::memcpy(bytes_.data() + length_at, &length, sizeof(length));
    }

    [[nodiscard]] const std::string& bytes() const { return bytes_; }

private:
    std::string bytes_;
};

// The same backwards, over bytes that somebody else owns. Whatever does not fit is an error.
class DbusReader {
public:
    explicit DbusReader(std::string_view bytes) : bytes_(bytes) {}

    template <typename T>
    base::Result<T> number() {
        TRY(align(sizeof(T)));
        const auto bytes = TRY(take(sizeof(T)));
        T value{};
        std::memcpy(&value, bytes.data(), sizeof(T));
        return value;
    }

    base::Result<std::string> string();
    base::Result<std::string> signature();
    base::Status align(std::size_t to);
    base::Result<std::string_view> take(std::size_t count);

    [[nodiscard]] std::size_t position() const { return at_; }

private:
    std::string_view bytes_;
    std::size_t at_ = 0;
};

// Every message begins with that many bytes, which tell its whole size.
inline constexpr std::size_t kDbusFixedHeader = 16;

// Of a message, from its first kDbusFixedHeader bytes. More than we would ever be sent is an error.
[[nodiscard]] base::Result<std::size_t> dbus_size(std::string_view fixed_header);

[[nodiscard]] std::string to_bytes(const DbusMessage& message);
[[nodiscard]] base::Result<DbusMessage> message_from_bytes(std::string_view bytes);

}  // namespace warren::cgroups
