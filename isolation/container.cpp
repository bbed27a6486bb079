#include "isolation/container.hpp"

#include <algorithm>

#include "isolation/capabilities.hpp"

namespace warren::isolation {

bool ContainerNamespaces::joins(Namespace type) const {
    return std::any_of(joined.begin(), joined.end(), [type](const JoinedNamespace& ns) {
        return ns.type == type;
    });
}

bool ContainerNamespaces::need_joiner() const {
    return joins(Namespace::User) || joins(Namespace::Pid) ||
           (fresh.has(Namespace::User) && !joined.empty());
}

namespace {

// Leaves `missing` out of a set and says so.
void leave_out(std::uint64_t& set,
               std::uint64_t missing,
               const char* why,
               std::vector<std::string>& notes) {
    if ((set & missing) == 0) {
        return;
    }
    std::string names;
    for (const auto& name : capability_names(set & missing)) {
        names += ' ' + name;
    }
    notes.push_back(std::string("capabilities: left out, ") + why + ':' + names);
    set &= ~missing;
}

}  // namespace

CapSets grantable_capabilities(const CapSets& wanted,
                               std::uint64_t known,
                               std::vector<std::string>& notes) {
    CapSets sets = wanted;
    std::uint64_t all =
        sets.bounding | sets.effective | sets.permitted | sets.inheritable | sets.ambient;
    leave_out(all, ~known, "this kernel does not have them", notes);
    for (std::uint64_t* set :
         {&sets.bounding, &sets.effective, &sets.permitted, &sets.inheritable, &sets.ambient}) {
        *set &= known;
    }
    leave_out(sets.effective, ~sets.permitted, "effective but not permitted", notes);
    leave_out(sets.ambient,
              ~(sets.permitted & sets.inheritable),
              "ambient but not permitted and inheritable",
              notes);
    return sets;
}

}  // namespace warren::isolation
