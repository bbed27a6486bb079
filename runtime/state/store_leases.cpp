// Id ranges: leases/INDEX is a symbolic link to the name of the guest that has the range.
#include <array>

#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.hpp"
#include "base/units.hpp"
#include "runtime/state/store.hpp"

namespace warren::state {

namespace {

using base::Error;
using base::ErrorKind;
using base::Name;
using base::Result;
using base::Status;

std::string lease_path(std::uint32_t index) {
    return "leases/" + std::to_string(index);
}

// Who has it; nullopt: nobody. Something that is no link counts as somebody whom no guest is named after.
Result<std::optional<std::string>> lease_owner(int root, std::uint32_t index) {
    std::array<char, 256> target{};
    const auto path = lease_path(index);
    const ssize_t length = ::readlinkat(root, path.c_str(), target.data(), target.size());
    if (length >= 0) {
        return std::optional(std::string(target.data(), static_cast<std::size_t>(length)));
    }
    if (errno == ENOENT) {
        return std::optional<std::string>();
    }
    if (errno == EINVAL) {
        return std::optional<std::string>("");
    }
    return base::errno_error("read link " + path);
}

// Where the search for a lease starts. The root is part of it: two roots do not see each other's leases, and guests of
// one name in both should not get one range for sure.
Result<std::uint32_t> first_choice(int root, const Name& name) {
    struct stat info = {};
    if (::fstat(root, &info) != 0) {
        return base::errno_error("look up the root");
    }
    const auto seed =
        base::fnv1a(std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) + "/");
    return static_cast<std::uint32_t>(base::fnv1a(name.str(), seed) % kLeaseCount);
}

}  // namespace

std::uint32_t Store::lease_base(std::uint32_t index) {
    return kLeaseFirstId + index * kLeaseIds;
}

Result<std::uint32_t> Store::first_free_lease(const Name& name) const {
    const int root = TRY(require_root());
    const auto start = TRY(base::with_context(first_choice(root, name), paths_.root));
    for (std::uint32_t step = 0; step < kLeaseCount; ++step) {
        const auto index = (start + step) % kLeaseCount;
        const auto owner = TRY(base::with_context(lease_owner(root, index), paths_.root));
        if (!owner || *owner == name.str()) {
            return index;
        }
    }
    return base::fail("lease an id range for guest " + name.str() + ": all " +
                      std::to_string(kLeaseCount) + " are taken");
}

Status Store::take_lease(std::uint32_t index, const Name& name) const {
    const int root = TRY(require_root());
    if (index >= kLeaseCount) {
        return base::usage_error("no lease has the index " + std::to_string(index));
    }
    const auto path = lease_path(index);
    for (int tries = 0;; ++tries) {
        if (::symlinkat(name.str().c_str(), root, path.c_str()) == 0) {
            return base::ok();
        }
        if (errno == ENOENT && tries == 0) {
            TRY(base::with_context(base::make_dirs(root, "leases", 0700), paths_.root));
            continue;
        }
        if (errno != EEXIST) {
            return base::errno_error("make link " + paths_.root + "/" + path);
        }
        const auto owner = TRY(base::with_context(lease_owner(root, index), paths_.root));
        if (owner && *owner == name.str()) {
            return base::ok();
        }
        return Error(ErrorKind::Exists,
                     "lease id range " + std::to_string(index) + ": another guest has it");
    }
}

Status Store::release_lease(std::uint32_t index, const Name& name) const {
    if (!root_ || index >= kLeaseCount) {
        return base::ok();
    }
    const auto owner = TRY(base::with_context(lease_owner(root_.get(), index), paths_.root));
    if (!owner || *owner != name.str()) {
        return base::ok();
    }
    return base::with_context(base::remove_file_at(root_.get(), lease_path(index)), paths_.root);
}

Status Store::release_leases_of(const Name& name) const {
    if (!root_) {
        return base::ok();
    }
    const auto entries = base::list_dir(root_.get(), "leases");
    if (!entries) {
        if (entries.error().error_number() == ENOENT) {
            return base::ok();
        }
        return Error(entries.error()).with_context(paths_.root);
    }
    for (const auto& entry : entries.value()) {
        if (const auto index = base::parse_uint(entry, 0, kLeaseCount - 1)) {
            TRY(release_lease(static_cast<std::uint32_t>(index.value()), name));
        }
    }
    return base::ok();
}

}  // namespace warren::state
