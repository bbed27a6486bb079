// The credentials an overlay is made with. overlayfs keeps those of whoever creates the superblock
// and does all work on the layers with them: making the work directory, copying up, setting
// trusted.overlay.* attributes. On idmapped layers their file-system ids must be mapped, or nothing
// can be created and the kernel silently mounts read-only.
#pragma once

#include <array>

#include <linux/capability.h>
#include <sys/types.h>

#include "base/result.hpp"

namespace warren::images {

// While it lives, this thread's file-system uid and gid (setfsuid(2)) are the guest root's host
// ids, and its effective capabilities are all the permitted ones, as leaving fsuid 0 drops the
// file-system ones from the effective set only. The destructor restores ids, effective set and
// dumpability. The kernel clears PR_SET_PDEATHSIG on such a change: a process that uses it has to
// set it again.
class CreatorCredentials {
public:
    [[nodiscard]] static base::Result<CreatorCredentials> assume(uid_t uid, gid_t gid);
    CreatorCredentials(CreatorCredentials&& other) noexcept;
    CreatorCredentials& operator=(CreatorCredentials&&) = delete;
    CreatorCredentials(const CreatorCredentials&) = delete;
    CreatorCredentials& operator=(const CreatorCredentials&) = delete;
    ~CreatorCredentials();

private:
    using CapData = std::array<__user_cap_data_struct, 2>;

    CreatorCredentials(uid_t uid, gid_t gid, const CapData& caps, int dumpable)
        : uid_(uid), gid_(gid), caps_(caps), dumpable_(dumpable) {}

    uid_t uid_;
    gid_t gid_;
    CapData caps_;
    int dumpable_;
    bool is_armed_ = true;
};

}  // namespace warren::images
