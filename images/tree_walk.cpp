#include "images/tree_walk.hpp"

#include <unordered_set>

#include "base/excerpt.hpp"
#include "base/fd.hpp"

namespace warren::images {
namespace {

// An import's limit is lower.
constexpr unsigned kMaxDepth = 1024;

base::Status walk_below(int dir,
                        const std::string& path,
                        unsigned depth,
                        const TreeVisitor& visit) {
    if (depth > kMaxDepth) {
        return base::fail("walk image: deeper than " + std::to_string(kMaxDepth) + " directories");
    }
    for (const std::string& name : TRY(base::list_dir(dir, "."))) {
        struct stat info {};

        if (fstatat(dir, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
            return base::errno_error("look at \"" + base::excerpt(name) + "\"");
        }
        const std::string below = path.empty() ? name : path + "/" + name;
        TRY(visit(dir, name, below, info));
        if (S_ISDIR(info.st_mode)) {
            const base::Fd child = TRY(base::open_dir(dir, name, base::Resolve::NoSymlinks));
            TRY(walk_below(child.get(), below, depth + 1, visit));
        }
    }
    return base::ok();
}

}  // namespace

base::Status walk_tree(int root, const TreeVisitor& visit) {
    return walk_below(root, "", 0, visit);
}

base::Result<TreeCounts> count_tree(int root) {
    TreeCounts counts;
    std::unordered_set<ino_t> seen;
    TRY(walk_tree(
        root,
        [&](int, const std::string&, const std::string&, const struct stat& info) -> base::Status {
            ++counts.entries;
            if (S_ISREG(info.st_mode)) {
                ++counts.files;
                if (seen.insert(info.st_ino).second) {
                    counts.bytes += static_cast<std::uint64_t>(info.st_size);
                }
            }
            return base::ok();
        }));
    return counts;
}

}  // namespace warren::images
