// Writes entries of an archive or a directory into a new tree. The entries are hostile: every
// parent is resolved beneath the root without following any link (openat2(2)), what stands in the
// way is replaced and never followed, and nothing is created before it has been checked against the
// limits.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "images/entry.hpp"
#include "images/image.hpp"
#include "images/objects.hpp"
#include "images/tree_walk.hpp"

namespace warren::images {

class TreeWriter {
public:
    // `root` is an empty directory. Neither argument is owned; both outlive the writer.
    TreeWriter(int root, ObjectSink& sink, const ImportLimits& limits)
        : root_(root), sink_(sink), limits_(limits) {}

    // `body` is only called for files. Errors name the entry.
    [[nodiscard]] base::Status add(Entry entry, const BodyReader& body);
    // Sets the directories' times and default ACLs, which entries below them would have changed or
    // inherited.
    [[nodiscard]] base::Result<TreeCounts> finish();

private:
    struct Late {
        timespec mtime{};
        std::string default_acl;
    };

    struct Place {
        int parent = -1;  // good until the next one is opened
        std::string name;
    };

    [[nodiscard]] base::Status add_checked(Entry& entry, const BodyReader& body);
    [[nodiscard]] base::Status count(const Entry& entry);
    [[nodiscard]] base::Result<int> open_parent(const std::vector<std::string>& path);
    [[nodiscard]] base::Result<base::Fd> make_parents(const std::vector<std::string>& path);
    [[nodiscard]] base::Status add_directory(const Place& place, const Metadata& meta);
    [[nodiscard]] base::Status finish_directory_entry(int dir, const Metadata& meta);
    [[nodiscard]] base::Status add_hardlink(const std::vector<std::string>& path,
                                            const std::string& target);
    [[nodiscard]] base::Status add_symlink(const Place& place, const Entry& entry);
    [[nodiscard]] base::Status add_node(const Place& place, const Entry& entry);
    [[nodiscard]] base::Status finish_below(int dir, std::uint32_t depth);

    int root_;
    ObjectSink& sink_;
    ImportLimits limits_;
    std::uint64_t entries_ = 0, bytes_ = 0, late_bytes_ = 0;
    base::Fd parent_;
    std::string parent_path_;
    std::unordered_map<ino_t, Late> late_;
};

}  // namespace warren::images
