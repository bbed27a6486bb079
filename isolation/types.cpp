#include "isolation/types.hpp"

#include <array>
#include <utility>

#include <linux/sched.h>

namespace warren::isolation {

std::uint64_t NamespaceSet::clone_flags() const {
    constexpr std::array<std::pair<Namespace, std::uint64_t>, 8> kFlags{{
        {Namespace::Mount, CLONE_NEWNS},
        {Namespace::Pid, CLONE_NEWPID},
        {Namespace::Uts, CLONE_NEWUTS},
        {Namespace::Ipc, CLONE_NEWIPC},
        {Namespace::Net, CLONE_NEWNET},
        {Namespace::Cgroup, CLONE_NEWCGROUP},
        {Namespace::User, CLONE_NEWUSER},
        {Namespace::Time, CLONE_NEWTIME},
    }};
    std::uint64_t flags = 0;
    for (const auto& [ns, flag] : kFlags) {
        flags |= has(ns) ? flag : 0;
    }
    return flags;
}

IdMap IdMap::contiguous(std::uint32_t host_base, std::uint32_t count) {
    const IdRange range{0, host_base, count};
    return {{range}, {range}};
}

std::string IdMap::text(const std::vector<IdRange>& ranges) {
    std::string text;
    for (const auto& range : ranges) {
        text += std::to_string(range.inside) + ' ' + std::to_string(range.outside) + ' ' +
                std::to_string(range.count) + '\n';
    }
    return text;
}

}  // namespace warren::isolation
