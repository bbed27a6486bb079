#include "cgroups/mount_query.hpp"

#include <array>
#include <cstddef>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace warren::cgroups {

namespace {

// Out of <linux/mount.h> and <linux/stat.h> of Linux 6.8, which are younger than the headers we build with.
constexpr long kStatmountCall = 457;
constexpr unsigned kUniqueMountId = 0x4000;  // STATX_MNT_ID_UNIQUE
constexpr std::uint64_t kFileSystem = 0x1;   // STATMOUNT_SB_BASIC
constexpr std::uint64_t kRootOfMount = 0x8;  // STATMOUNT_MNT_ROOT
constexpr std::size_t kMaxRoot = std::size_t{4} << 10;

struct Request {
    std::uint32_t size = sizeof(Request);
    std::uint32_t spare = 0;
    std::uint64_t mount_id = 0;
    std::uint64_t wanted = 0;
};

struct Answer {
    std::uint32_t size;
    std::uint32_t options;
    std::uint64_t told;
    std::array<std::uint32_t, 2> device;
    std::uint64_t magic;
    std::array<std::uint32_t, 2> flags_and_type;
    std::array<std::uint64_t, 2> ids;
    std::array<std::uint32_t, 2> old_ids;
    std::array<std::uint64_t, 5> attributes;
    std::uint32_t root;  // where in `texts`
    std::uint32_t point;
    std::array<std::uint64_t, 50> rest;
    std::array<char, kMaxRoot> texts;
};

static_assert(sizeof(Request) == 24);
static_assert(offsetof(Answer, magic) == 24 && offsetof(Answer, root) == 104 &&
              offsetof(Answer, texts) == 512);

std::optional<std::uint64_t> mount_at(const std::string& path) {
    struct statx status {};

    if (::statx(AT_FDCWD, path.c_str(), AT_NO_AUTOMOUNT, kUniqueMountId, &status) != 0 ||
        (status.stx_mask & kUniqueMountId) == 0 ||
        (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0) {
        return std::nullopt;
    }
    return status.stx_mnt_id;
}

}  // namespace

std::optional<MountFacts> query_mount(const std::string& path) {
    constexpr std::uint64_t kWanted = kFileSystem | kRootOfMount;
    const auto id = mount_at(path);
    if (!id) {
        return std::nullopt;
    }
    Request request;
    request.mount_id = *id;
    request.wanted = kWanted;
    Answer answer{};
    if (::syscall(kStatmountCall, &request, &answer, sizeof(answer), 0U) != 0 ||
        (answer.told & kWanted) != kWanted || answer.root >= answer.texts.size()) {
        return std::nullopt;
    }
    const char* root = answer.texts.data() + answer.root;
    return MountFacts{answer.magic, {root, ::strnlen(root, answer.texts.size() - answer.root)}};
}

}  // namespace warren::cgroups
