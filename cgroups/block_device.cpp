#include "cgroups/block_device.hpp"

#include <cerrno>
#include <optional>
#include <string_view>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.hpp"
#include "base/units.hpp"

namespace warren::cgroups {

namespace {

constexpr std::uint64_t kMaxMajor = (1U << 12U) - 1;
constexpr std::uint64_t kMaxMinor = (1U << 20U) - 1;

std::optional<BlockDevice> parse_numbers(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    const auto major = base::parse_uint(text.substr(0, colon), 0, kMaxMajor);
    const auto minor = base::parse_uint(text.substr(colon + 1), 0, kMaxMinor);
    if (!major || !minor) {
        return std::nullopt;
    }
    return BlockDevice{static_cast<std::uint32_t>(major.value()),
                       static_cast<std::uint32_t>(minor.value())};
}

std::string numbers(BlockDevice device) {
    return std::to_string(device.major) + ":" + std::to_string(device.minor);
}

base::Error refuse(const std::string& text, const std::string& why) {
    return base::usage_error("invalid device \"" + text + "\": " + why);
}

base::Result<BlockDevice> stat_device(const std::string& text) {
    struct stat info = {};
    if (text.find('\0') != std::string::npos) {
        return refuse(text, "a NUL byte");
    }
    if (::stat(text.c_str(), &info) != 0) {
        return base::Error(base::ErrorKind::Usage, errno, "invalid device \"" + text + "\"");
    }
    if (S_ISCHR(info.st_mode)) {
        return refuse(text, "a character device");
    }
    const dev_t device = S_ISBLK(info.st_mode) ? info.st_rdev : info.st_dev;
    // Major 0 is for file systems that are on no device, or on several (btrfs, overlay, tmpfs, nfs).
    if (major(device) == 0) {
        return refuse(text, "its file system is not on one block device, name the disk itself");
    }
    return BlockDevice{major(device), minor(device)};
}

}  // namespace

base::Result<BlockDevice> find_disk(const std::string& text, const std::string& sys) {
    const auto given = parse_numbers(text);
    const BlockDevice device = given ? *given : TRY(stat_device(text));
    const auto entry = sys + "/dev/block/" + numbers(device);
    if (!TRY(base::exists_at(AT_FDCWD, entry))) {
        return refuse(text, "there is no block device " + numbers(device));
    }
    if (!TRY(base::exists_at(AT_FDCWD, entry + "/partition"))) {
        return device;
    }
    // The entry is a link to .../DISK/PARTITION.
    auto parent = TRY(base::read_file_at(AT_FDCWD, entry + "/../dev"));
    while (parent.ends_with('\n')) {
        parent.pop_back();
    }
    const auto disk = parse_numbers(parent);
    if (!disk) {
        return base::fail("find the disk of partition " + numbers(device) + ": unexpected \"" +
                          parent + "\"");
    }
    return *disk;
}

}  // namespace warren::cgroups
