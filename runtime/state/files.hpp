// What the store's parts share: texts of record files, directories that come and go, and scans.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/fd.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace warren::state {

// No valid config makes a larger record: 1.5 MiB of command and environment and 1 MiB of profile, six bytes a byte when escaped.
inline constexpr std::size_t kMaxRecord = 32U << 20;
// How often a directory is looked for anew after its last user removed it under our feet.
inline constexpr int kMaxVanished = 1000;

// RUN/volatile.
inline constexpr const char* kVolatileRecords = "volatile";

enum class EntryKind : std::uint8_t { Directory, File };
// Names of one kind in a directory, without "." and "..": one getdents64(2) scan, stat only where the file system tells no types.
[[nodiscard]] base::Result<std::vector<std::string>> list_entries(int at,
                                                                  const std::string& path,
                                                                  EntryKind kind);

// Guests that have a file named after them in a directory: its names that end in `suffix`, without it, sorted. No directory,
// no names.
[[nodiscard]] base::Result<std::vector<base::Name>> guests_with_files(const std::string& directory,
                                                                      std::string_view suffix);

// Makes `path` (this mode) and the missing directories above it (0755), and opens it.
[[nodiscard]] base::Result<base::Fd> make_and_open(const std::string& path, mode_t mode);

// The text of a record's file: indented JSON with a newline. Refuses more than kMaxRecord bytes.
[[nodiscard]] base::Result<std::string> record_text(const base::Json& json);

// A record's file, open. Absent: nullopt.
[[nodiscard]] base::Result<std::optional<base::Fd>> open_record(int at, const std::string& path);

// All of a record's file. Its writers replace it as a whole, so a read(2) that brings less than was asked for has met its
// end. EFBIG: larger than `limit`.
[[nodiscard]] base::Result<std::string> read_record(int fd,
                                                    std::size_t limit,
                                                    const std::string& path);

[[nodiscard]] base::Status sync_dir(int at, const std::string& path);

}  // namespace warren::state
