#include "isolation/types.hpp"

#include <array>
#include <utility>

#include <linux/sched.h>

namespace warren::isolation {

namespace {

struct Known {
    Namespace ns;
    std::uint64_t flag;
    const char* name;
};

constexpr std::array<Known, 8> kKnown{{
    {Namespace::Mount, CLONE_NEWNS, "mount"},
    {Namespace::Pid, CLONE_NEWPID, "pid"},
    {Namespace::Uts, CLONE_NEWUTS, "uts"},
    {Namespace::Ipc, CLONE_NEWIPC, "ipc"},
    {Namespace::Net, CLONE_NEWNET, "net"},
    {Namespace::Cgroup, CLONE_NEWCGROUP, "cgroup"},
    {Namespace::User, CLONE_NEWUSER, "user"},
    {Namespace::Time, CLONE_NEWTIME, "time"},
}};

}  // namespace

std::uint64_t NamespaceSet::clone_flags() const {
    std::uint64_t flags = 0;
    for (const auto& known : kKnown) {
        flags |= has(known.ns) ? known.flag : 0;
    }
    return flags;
}

std::string NamespaceSet::names() const {
    std::string names;
    for (const auto& known : kKnown) {
        if (has(known.ns)) {
            names += (names.empty() ? "" : " ") + std::string(known.name);
        }
    }
    return names;
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
