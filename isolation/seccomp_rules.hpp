// What a filter is before libseccomp compiles it: the house's lists and profile files both become
// this. A value.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seccomp.h>

#include "base/result.hpp"
#include "isolation/seccomp.hpp"

namespace warren::isolation {

// One comparison of one argument, as 64 bits. MASKED_EQ: (argument & value) == value_two.
struct SeccompCondition {
    unsigned index = 0;
    scmp_compare op = SCMP_CMP_EQ;
    std::uint64_t value = 0;
    std::uint64_t value_two = 0;
};

// The action for the named calls when all conditions hold. No two conditions share an index:
// libseccomp has no way to say that.
struct SeccompRule {
    std::vector<std::string_view> names;  // of the house's lists, or of SeccompRules::storage
    std::uint32_t action = SCMP_ACT_ALLOW;
    std::vector<SeccompCondition> conditions;
};

struct SeccompRules {
    std::uint32_t default_action = SCMP_ACT_ERRNO(EPERM);
    // Other instruction sets this machine can run (SCMP_ARCH_*); the native one is always there.
    std::vector<std::uint32_t> other_architectures;
    std::vector<SeccompRule> rules;
    // For instruction sets that are not listed. libseccomp's own answer.
    std::uint32_t foreign_action = SCMP_ACT_KILL_THREAD;
    // A call with a number above all these names' is younger than the rules and answers ENOSYS.
    // Empty: the default action.
    std::vector<std::string_view> known_names;
    std::uint32_t filter_flags = 0;  // as in SeccompProgram
    bool listener = false;
    // Names that came from a file. A deque: its strings stay where they are, also when the whole is
    // moved.
    std::deque<std::string> storage;

    SeccompRules() = default;
    SeccompRules(SeccompRules&&) = default;
    SeccompRules& operator=(SeccompRules&&) = default;
    SeccompRules(const SeccompRules&) = delete;
    SeccompRules& operator=(const SeccompRules&) = delete;
    ~SeccompRules() = default;
};

// Machine and Command. Pure.
[[nodiscard]] SeccompRules house_rules(const SeccompConfig& config);
// File: `config.file_text` with its includes and excludes applied to this machine and the config's
// capabilities.
[[nodiscard]] base::Result<SeccompRules> file_rules(const SeccompConfig& config);
// Oci: `config.file_text`; nothing when it asks for no filter.
[[nodiscard]] base::Result<std::optional<SeccompRules>> oci_rules(const SeccompConfig& config);
// As libseccomp makes it, several times as long; what compile_rules() says must be the same.
[[nodiscard]] base::Result<SeccompProgram> compile_by_library(const SeccompRules& rules);
[[nodiscard]] base::Result<SeccompProgram> compile_rules(const SeccompRules& rules);

}  // namespace warren::isolation
