#include "images/creator_credentials.hpp"

#include <cerrno>
#include <string>
#include <utility>

#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace warren::images {
namespace {

constexpr unsigned kAsk = static_cast<unsigned>(-1);

// setfsuid(2) tells nothing about failure; asking with an invalid id answers with the current one.
uid_t current_fsuid() {
    return static_cast<uid_t>(setfsuid(kAsk));
}

gid_t current_fsgid() {
    return static_cast<gid_t>(setfsgid(kAsk));
}

template <typename Data>
long capabilities_call(long number, Data& data) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    return syscall(number, &header, data.data());
}

}  // namespace

base::Result<CreatorCredentials> CreatorCredentials::assume(uid_t uid, gid_t gid) {
    CapData caps{};
    if (capabilities_call(SYS_capget, caps) != 0) {
        return base::errno_error("read capabilities");
    }
    // From here on the destructor puts everything back.
    CreatorCredentials held(current_fsuid(), current_fsgid(), caps, prctl(PR_GET_DUMPABLE));
    (void)setfsgid(gid);
    (void)setfsuid(uid);
    if (current_fsgid() != gid || current_fsuid() != uid) {
        return base::errno_error(
            EPERM, "take file-system ids " + std::to_string(uid) + ":" + std::to_string(gid));
    }
    CapData raised = caps;
    for (auto& word : raised) {
        word.effective = word.permitted;
    }
    if (capabilities_call(SYS_capset, raised) != 0) {
        return base::errno_error("raise file-system capabilities");
    }
    return held;
}

CreatorCredentials::CreatorCredentials(CreatorCredentials&& other) noexcept
    : uid_(other.uid_),
      gid_(other.gid_),
      caps_(other.caps_),
      dumpable_(other.dumpable_),
      is_armed_(std::exchange(other.is_armed_, false)) {}

CreatorCredentials::~CreatorCredentials() {
    if (!is_armed_) {
        return;
    }
    // None of these can fail: the ids are this process's own, and the capabilities were held
    // before.
    const int saved_errno = errno;
    (void)setfsuid(uid_);
    (void)setfsgid(gid_);
    (void)capabilities_call(SYS_capset, caps_);
    (void)prctl(PR_SET_DUMPABLE, dumpable_ == 1 ? 1 : 0);
    errno = saved_errno;
}

}  // namespace warren::images
