#include "isolation/seccomp_store.hpp"

#include <algorithm>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.hpp"

namespace warren::isolation {

namespace {

struct Entry {
    std::pair<std::time_t, long> written;
    std::uint64_t size = 0;
    std::string name;
};

}  // namespace

void bound_seccomp_store(int dir, const SeccompStoreBounds& bounds) {
    const auto names = base::list_dir(dir, ".");
    if (!names) {
        return;
    }
    std::vector<Entry> entries;
    std::uint64_t bytes = 0;
    for (const auto& name : names.value()) {
        struct stat status {};

        if (::fstatat(dir, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            S_ISDIR(status.st_mode)) {
            continue;
        }
        const auto size = static_cast<std::uint64_t>(status.st_size);
        entries.push_back({{status.st_mtim.tv_sec, status.st_mtim.tv_nsec}, size, name});
        bytes += size;
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return a.written < b.written;
    });
    std::size_t left = entries.size();
    for (const auto& entry : entries) {
        if (left <= bounds.entries && bytes <= bounds.bytes) {
            return;
        }
        (void)base::remove_file_at(dir, entry.name);
        bytes -= entry.size;
        --left;
    }
}

}  // namespace warren::isolation
