// Groups of the resctrl file system: shares of the last-level cache and of memory bandwidth (Intel RDT, AMD QoS), and
// the counters of both. Documentation/arch/x86/resctrl.rst in the kernel's tree; Linux 4.10, bandwidth 4.12, counters
// 4.14. A group is a directory in the root of the file system; the kernel fills it with its files.
//
// All calls take names that check_group_name() has passed. Everything goes through the directory that open() was given,
// so that a tree of plain files can stand for the file system in tests.
#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace warren::cgroups {

class Resctrl {
public:
    // `path`: where it is mounted. Unsupported when nothing that looks like it is there.
    [[nodiscard]] static base::Result<Resctrl> open(const std::string& path);

    // Unsupported unless the kernel has the resource of each line ("L3:0=f" needs info/L3).
    [[nodiscard]] base::Status check_resources(std::string_view schemata) const;
    // Unsupported unless it counts cache occupancy, and bandwidth.
    [[nodiscard]] base::Status check_counters(bool occupancy, bool bandwidth) const;

    [[nodiscard]] base::Result<bool> has(const std::string& group) const;
    // False: it was there. ENOSPC: the CPU has no more of them.
    [[nodiscard]] base::Result<bool> make(const std::string& group) const;
    // In one write. The error has the kernel's own words (info/last_cmd_status).
    [[nodiscard]] base::Status write_schemata(const std::string& group,
                                              std::string_view schemata) const;
    // Usage unless the group has what each line says. Cache masks are equal whatever their leading zeros.
    [[nodiscard]] base::Status compare_schemata(const std::string& group,
                                                std::string_view schemata) const;
    // A group of counters within a group, for a part of its processes.
    [[nodiscard]] base::Status make_counters(const std::string& group,
                                             const std::string& counters) const;
    // All that it clones from then on goes the same way. Into `counters` as well where the group has them.
    [[nodiscard]] base::Status add_process(const std::string& group,
                                           const std::string& counters,
                                           pid_t pid) const;
    // Absent is success. Processes in it go back to the root's group.
    [[nodiscard]] base::Status remove(const std::string& group) const;
    [[nodiscard]] base::Status remove_counters(const std::string& group,
                                               const std::string& counters) const;

private:
    Resctrl(base::Fd dir, std::string path) : dir_(std::move(dir)), path_(std::move(path)) {}

    [[nodiscard]] base::Error explained(base::Error error) const;

    base::Fd dir_;
    std::string path_;
};

// One step of a path, and none of the names that the root of the file system has itself.
[[nodiscard]] base::Status check_group_name(const std::string& name);

}  // namespace warren::cgroups
