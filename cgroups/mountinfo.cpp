#include "cgroups/mountinfo.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace warren::cgroups {

namespace {

// Takes the text up to the separator off the front.
std::string_view take(std::string_view& text, char separator) {
    const auto end = std::min(text.find(separator), text.size());
    const auto piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return piece;
}

bool is_octal(char c) {
    return c >= '0' && c <= '7';
}

// "\040" is a blank.
std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) &&
            is_octal(text[i + 2]) && is_octal(text[i + 3])) {
            out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                     (text[i + 3] - '0'));
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

struct Line {
    CgroupMount mount;
    std::string_view type;
};

// "31 23 0:28 ROOT MOUNT_POINT OPTIONS [TAG...] - TYPE SOURCE SUPER_OPTIONS"
std::optional<Line> parse_line(std::string_view text) {
    Line line;
    (void)take(text, ' ');
    (void)take(text, ' ');
    (void)take(text, ' ');
    line.mount.root = unescape(take(text, ' '));
    line.mount.mount_point = unescape(take(text, ' '));
    (void)take(text, ' ');
    while (!text.empty() && take(text, ' ') != "-") {
    }
    line.type = take(text, ' ');
    (void)take(text, ' ');
    line.mount.options = std::string(take(text, ' '));
    line.mount.unified = line.type == "cgroup2";
    if (!line.mount.mount_point.starts_with('/') || line.type.empty()) {
        return std::nullopt;
    }
    return line;
}

}  // namespace

bool CgroupMount::controllers() const {
    static constexpr std::array kNames = {"cpu", "cpuset", "memory", "blkio", "pids", "hugetlb"};
    if (unified) {
        return false;
    }
    std::string_view rest = options;
    while (!rest.empty()) {
        const auto word = take(rest, ',');
        if (std::find(kNames.begin(), kNames.end(), word) != kNames.end()) {
            return true;
        }
    }
    return false;
}

std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo) {
    std::vector<CgroupMount> mounts;
    while (!mountinfo.empty()) {
        auto line = parse_line(take(mountinfo, '\n'));
        if (!line) {
            continue;
        }
        const auto& place = line->mount.mount_point;
        mounts.erase(
            std::remove_if(mounts.begin(),
                           mounts.end(),
                           [&](const CgroupMount& one) { return one.mount_point == place; }),
            mounts.end());
        if (line->type == "cgroup" || line->type == "cgroup2") {
            mounts.push_back(std::move(line->mount));
        }
    }
    return mounts;
}

}  // namespace warren::cgroups
