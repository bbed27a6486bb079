#include "runtime/spec/oci/config.hpp"

#include <algorithm>

namespace warren::spec::oci {

int IoPriority::value() const {
    constexpr int kClassShift = 13;
    return (io_class << kClassShift) | priority;
}

const NamespaceEntry* Linux::find(isolation::Namespace kind) const {
    const auto entry =
        std::find_if(namespaces.begin(), namespaces.end(), [kind](const NamespaceEntry& each) {
            return each.kind == kind;
        });
    return entry == namespaces.end() ? nullptr : &*entry;
}

bool Linux::is_new(isolation::Namespace kind) const {
    const NamespaceEntry* entry = find(kind);
    return entry != nullptr && entry->path.empty();
}

bool Linux::is_joined(isolation::Namespace kind) const {
    const NamespaceEntry* entry = find(kind);
    return entry != nullptr && !entry->path.empty();
}

}  // namespace warren::spec::oci
