#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include <linux/netlink.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include "isolation/seccomp_lists.hpp"
#include "isolation/seccomp_rules.hpp"

namespace warren::isolation {

namespace {

// The kernel looks at the low half of an int argument only; so do we, else a caller could hide
// behind the other.
constexpr std::uint64_t kIntMask = 0xffffffffU;

constexpr std::uint64_t kNamespaceFlags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                          CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                          CLONE_NEWNET;

SeccompCondition int_is(unsigned index, std::uint64_t value) {
    return {.index = index, .op = SCMP_CMP_MASKED_EQ, .value = kIntMask, .value_two = value};
}

void append_names(std::vector<std::string_view>& names, std::span<const lists::Group> groups) {
    for (const lists::Group& group : groups) {
        std::string_view rest = group.names;
        while (!rest.empty()) {
            const auto end = std::min(rest.find(' '), rest.size());
            names.push_back(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
}

SeccompRule rule(std::uint32_t action, std::span<const lists::Group> groups) {
    SeccompRule out{.action = action};
    append_names(out.names, groups);
    return out;
}

// Native and 32-bit Linux; historical flags that many programs still set, and gdb's wish for fixed
// addresses. The rest emulates other systems, in kernel code that nobody tests.
void add_personality(std::vector<SeccompRule>& rules) {
    constexpr std::uint64_t kAsk = 0xffffffffU;
    constexpr std::uint64_t kFixed = ADDR_NO_RANDOMIZE;
    for (const std::uint64_t base : {std::uint64_t{PER_LINUX}, std::uint64_t{PER_LINUX32}}) {
        for (const std::uint64_t flags : {std::uint64_t{0}, std::uint64_t{UNAME26}, kFixed}) {
            rules.push_back({{"personality"}, SCMP_ACT_ALLOW, {int_is(0, base | flags)}});
        }
    }
    rules.push_back({{"personality"}, SCMP_ACT_ALLOW, {int_is(0, kAsk)}});
}

// The families of a server. The rest is autoloaded kernel code with a history (AX.25, RDS, TIPC,
// ...), reaches past the network namespace (VSOCK: the hypervisor and the host) or belongs to
// nobody (ALG). They answer as a kernel that was built without them, which programs expect.
bool is_allowed_family(unsigned family) {
    constexpr std::array<unsigned, 6> kAllowed = {
        AF_UNIX, AF_INET, AF_INET6, AF_PACKET, AF_KEY, AF_PPPOX};
    return std::find(kAllowed.begin(), kAllowed.end(), family) != kAllowed.end();
}

// Refuses [first, first + count) as few aligned blocks, each one comparison. `count` is a power of
// two.
void refuse_families(std::vector<SeccompRule>& rules, unsigned first, unsigned count) {
    bool any_allowed = false;
    for (unsigned family = first; family < first + count; ++family) {
        any_allowed = any_allowed || family == AF_NETLINK || is_allowed_family(family);
    }
    if (!any_allowed) {
        const SeccompCondition block = {.index = 0,
                                        .op = SCMP_CMP_MASKED_EQ,
                                        .value = kIntMask & ~static_cast<std::uint64_t>(count - 1),
                                        .value_two = first};
        rules.push_back({{"socket"}, SCMP_ACT_ERRNO(EAFNOSUPPORT), {block}});
    } else if (count > 1) {
        refuse_families(rules, first, count / 2);
        refuse_families(rules, first + count / 2, count / 2);
    }
}

void add_sockets(std::vector<SeccompRule>& rules) {
    constexpr unsigned kFamilies = 64;  // AF_MAX is 46, and numbers are not reused
    for (unsigned family = 0; family < kFamilies; ++family) {
        if (is_allowed_family(family)) {
            rules.push_back({{"socket"}, SCMP_ACT_ALLOW, {int_is(0, family)}});
        }
    }
    // The audit subsystem is the host's; told that it is missing, PAM, sshd and systemd go without.
    const SeccompCondition audit = {.index = 2, .op = SCMP_CMP_EQ, .value = NETLINK_AUDIT};
    const SeccompCondition other = {.index = 2, .op = SCMP_CMP_NE, .value = NETLINK_AUDIT};
    rules.push_back({{"socket"}, SCMP_ACT_ERRNO(EAFNOSUPPORT), {int_is(0, AF_NETLINK), audit}});
    rules.push_back({{"socket"}, SCMP_ACT_ALLOW, {int_is(0, AF_NETLINK), other}});
    refuse_families(rules, 0, kFamilies);
}

// Threads and forks, but no namespaces. The flags of clone3(2) lie in memory; ENOSYS sends the C
// library back to clone(2).
void add_plain_clone(std::vector<SeccompRule>& rules) {
    const SeccompCondition no_namespace = {
        .index = 0, .op = SCMP_CMP_MASKED_EQ, .value = kNamespaceFlags, .value_two = 0};
    rules.push_back({{"clone"}, SCMP_ACT_ALLOW, {no_namespace}});
    rules.push_back({{"clone3"}, SCMP_ACT_ERRNO(ENOSYS), {}});
}

std::vector<std::uint32_t> compat_architectures() {
#if defined(__x86_64__)
    // 32-bit programs of multiarch systems. Never x32: nobody ships it, and its numbers confuse
    // filters.
    return {SCMP_ARCH_X86};
#else
    return {};
#endif
}

}  // namespace

SeccompRules house_rules(const SeccompConfig& config) {
    const bool machine = config.profile == SeccompProfile::Machine;
    const bool admin = machine || (config.capabilities >> CAP_SYS_ADMIN & 1U) != 0;
    SeccompRules out;
    out.default_action = SCMP_ACT_ERRNO(EPERM);
    out.foreign_action = SCMP_ACT_ERRNO(ENOSYS);
    out.other_architectures = compat_architectures();
    out.rules.push_back(rule(SCMP_ACT_ERRNO(ENOSYS), lists::absent()));
    out.rules.push_back(rule(SCMP_ACT_ALLOW, lists::common()));
    if (admin) {
        out.rules.push_back(rule(SCMP_ACT_ALLOW, lists::mounting()));
        out.rules.push_back({{"clone"}, SCMP_ACT_ALLOW, {}});
    } else {
        add_plain_clone(out.rules);
    }
    if (machine) {
        out.rules.push_back(rule(SCMP_ACT_ALLOW, lists::machine()));
    }
    if (machine && config.nesting) {
        out.rules.push_back(rule(SCMP_ACT_ALLOW, lists::nesting()));
    }
    add_personality(out.rules);
    add_sockets(out.rules);
    for (const auto& groups : {lists::common(),
                               lists::mounting(),
                               lists::machine(),
                               lists::nesting(),
                               lists::refused(),
                               lists::absent()}) {
        append_names(out.known_names, groups);
    }
    return out;
}

}  // namespace warren::isolation
