// What the two JSON forms of a system call filter share: profile files and linux.seccomp of the OCI
// runtime specification. Inside isolation only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "isolation/seccomp_rules.hpp"

namespace warren::isolation::seccomp_json {

inline constexpr std::size_t kTextLimit = 1U << 20;
// The kernel takes 4096 instructions at most, and the library's time grows with the square of the
// rules.
inline constexpr std::size_t kRuleLimit = 4096;

// Collects what is wrong, so that one run shows all of it.
class Problems {
public:
    void add(base::Error error);
    // At the member `key` of the reader's object; `key` may go deeper: "flags/2".
    void add(const base::JsonReader& reader, std::string_view key, std::string what);

    // The value, or nothing after noting the problem.
    template <typename T>
    std::optional<T> keep(base::Result<T>&& result) {
        if (!result) {
            add(std::move(result).error());
            return std::nullopt;
        }
        return std::move(result).value();
    }

    [[nodiscard]] bool empty() const { return count_ == 0; }

    // The first with the others behind it. Call it once, and only when not empty.
    [[nodiscard]] base::Error take();

private:
    std::optional<base::Error> first_;
    std::size_t count_ = 0;
};

// "SCMP_ARCH_X86" -> libseccomp's token.
[[nodiscard]] std::optional<std::uint32_t> architecture_token(const std::string& name);
// All words but SCMP_ACT_NOTIFY; `error` is the number of ERRNO and TRACE.
[[nodiscard]] std::optional<std::uint32_t> plain_action(std::string_view name, std::uint16_t error);
// Absent: nothing, and so is a number above MAX_ERRNO, which is noted.
[[nodiscard]] std::optional<std::uint16_t> read_error_number(const base::JsonReader& reader,
                                                             const char* key,
                                                             Problems& problems);
// "args" of one call.
[[nodiscard]] std::vector<SeccompCondition> read_conditions(const base::JsonReader& call,
                                                            Problems& problems);
// Conditions must all hold; but when two name the same argument, each stands alone, as every engine
// reads the format.
void append_rule(SeccompRule rule, std::vector<SeccompRule>& out);
// Notes at `root` when there are more rules than kRuleLimit.
void check_size(const SeccompRules& rules, const base::JsonReader& root, Problems& problems);

}  // namespace warren::isolation::seccomp_json
