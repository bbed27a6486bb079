#include "images/file_system.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include <sys/vfs.h>

namespace warren::images {
namespace {

struct Magic {
    std::uint32_t number;
    std::string_view name;
};

// linux/magic.h, and the ones it leaves to the file systems' own sources.
constexpr std::array kMagics{
    Magic{0xEF53, "ext4"},      Magic{0x58465342, "xfs"},      Magic{0x9123683E, "btrfs"},
    Magic{0xF2F52010, "f2fs"},  Magic{0x01021994, "tmpfs"},    Magic{0x794C7630, "overlay"},
    Magic{0x2FC12FC1, "zfs"},   Magic{0xCA451A4E, "bcachefs"}, Magic{0x6969, "nfs"},
    Magic{0x65735546, "fuse"},  Magic{0x01021997, "9p"},       Magic{0x00C0FFEE, "hostfs"},
    Magic{0xFF534D42, "cifs"},  Magic{0xFE534D42, "smb3"},     Magic{0x00C36400, "ceph"},
    Magic{0xE0F5E1E2, "erofs"}, Magic{0x73717368, "squashfs"}, Magic{0x4D44, "vfat"},
    Magic{0x2011BAB0, "exfat"}, Magic{0x858458F6, "ramfs"},
};

}  // namespace

std::string file_system_name(int fd) {
    struct statfs info {};

    if (fstatfs(fd, &info) != 0) {
        return "unknown";
    }
    const auto number = static_cast<std::uint32_t>(info.f_type);
    for (const Magic& magic : kMagics) {
        if (magic.number == number) {
            return std::string(magic.name);
        }
    }
    std::array<char, 16> text{};
    (void)std::snprintf(text.data(), text.size(), "0x%x", number);
    return text.data();
}

}  // namespace warren::images
