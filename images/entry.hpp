// What stands in an archive or a directory, before it is believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>
#include <time.h>

#include "base/result.hpp"

namespace warren::images {

struct Xattr {
    std::string name;
    std::string value;
    bool operator==(const Xattr&) const = default;
};

struct Metadata {
    mode_t mode = 0;  // permission bits only, 07777
    std::uint64_t uid = 0, gid = 0;
    timespec mtime{};
    std::vector<Xattr> xattrs;
};

enum class EntryType : std::uint8_t {
    File,
    Directory,
    Symlink,
    Hardlink,
    CharDevice,
    BlockDevice,
    Fifo,
    Socket,
};

struct Entry {
    std::string path;  // as it stands there: maybe absolute, maybe with ".."
    EntryType type = EntryType::File;
    Metadata meta;
    std::string target;  // of a symlink: its text; of a hard link: the path of an earlier entry
    dev_t device = 0;
    std::uint64_t size = 0;
};

// A piece of a file; what no chunk covers is a hole. The bytes live until the next call.
struct Chunk {
    std::uint64_t offset = 0;
    std::span<const std::byte> bytes;
};

// The next piece, in order of offset; nullopt at the end.
using BodyReader = std::function<base::Result<std::optional<Chunk>>()>;

// `entry "usr/bin/su"`: how an error names it, safe on one line.
[[nodiscard]] std::string entry_label(const std::string& path);

}  // namespace warren::images
