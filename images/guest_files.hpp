// What a distribution's tree gets wrong for a guest, and what a guest needs in its place. Pure.
#pragma once

#include <string>
#include <vector>

#include "images/distribution.hpp"
#include "images/entry.hpp"

namespace warren::images {

struct GuestFile {
    Entry entry;
    std::string content;  // of a file
};

// Times of files that come from nowhere: the same at every build, so that images share them.
inline constexpr time_t kGuestFileTime = 1'704'067'200;  // 2024-01-01

[[nodiscard]] GuestFile guest_file(std::string path, std::string content, mode_t mode = 0644);
[[nodiscard]] GuestFile guest_link(std::string path, std::string target);
[[nodiscard]] GuestFile guest_directory(std::string path, mode_t mode = 0755);

// Identities (machine id, host keys), logs and caches of the build, and files that guest_files()
// replaces.
[[nodiscard]] bool is_left_out(const std::string& path, EntryType type);

// For a built Debian or Ubuntu. `sources` are the lines of its sources.list.
[[nodiscard]] std::vector<GuestFile> guest_files(InitSystem init,
                                                 const std::vector<std::string>& sources);

}  // namespace warren::images
