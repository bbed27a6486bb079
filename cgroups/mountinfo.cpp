#include "cgroups/mountinfo.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>

#include "base/units.hpp"
#include "cgroups/take.hpp"

namespace warren::cgroups {

namespace {

// Stands for what is above all that is listed; no mount has this number.
constexpr std::uint64_t kTop = UINT64_MAX;

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

struct MountLine {
    std::uint64_t id = 0;
    std::uint64_t parent = 0;
    std::string_view place;  // escaped
    std::string_view root;
    std::string_view type;
    std::string_view options;
};

// "31 23 0:28 ROOT MOUNT_POINT OPTIONS [TAG...] - TYPE SOURCE SUPER_OPTIONS"
std::optional<MountLine> parse_line(std::string_view text) {
    MountLine line;
    const auto id = base::parse_uint(take(text, ' '), 0, UINT64_MAX);
    const auto parent = base::parse_uint(take(text, ' '), 0, UINT64_MAX);
    (void)take(text, ' ');
    line.root = take(text, ' ');
    line.place = take(text, ' ');
    (void)take(text, ' ');
    while (!text.empty() && take(text, ' ') != "-") {
    }
    line.type = take(text, ' ');
    (void)take(text, ' ');
    line.options = take(text, ' ');
    if (!id || !parent || !line.place.starts_with('/') || line.type.empty()) {
        return std::nullopt;
    }
    line.id = id.value();
    line.parent = parent.value();
    return line;
}

bool is_at_or_below(std::string_view path, std::string_view top) {
    return top == "/" ||
           (path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/'));
}

// Walks as the kernel does: in each mount, on to the mount that hangs in it on the way. The order of the lines says
// nothing: since Linux 6.8 they are sorted by when the mounts were made.
const MountLine* look_up(const std::multimap<std::uint64_t, MountLine>& by_parent,
                         const MountLine& wanted) {
    const MountLine* here = nullptr;
    // What hangs in a mount that is not listed hangs in the root; so does the root itself.
    std::uint64_t id = kTop;
    for (std::size_t steps = 0; steps <= by_parent.size(); ++steps) {
        const MountLine* next = nullptr;
        const auto [first, last] = by_parent.equal_range(id);
        for (auto child = first; child != last; ++child) {
            const auto& line = child->second;
            const bool nearer = next == nullptr || line.place.size() < next->place.size();
            if (is_at_or_below(wanted.place, line.place) && nearer) {
                next = &line;
            }
        }
        if (next == nullptr) {
            break;
        }
        here = next;
        id = next->id;
    }
    return here;
}

// Those of the types that a path leads to.
std::vector<MountLine> visible_mounts(std::string_view mountinfo,
                                      std::initializer_list<std::string_view> types) {
    std::vector<MountLine> lines;
    std::set<std::uint64_t> ids;
    while (!mountinfo.empty()) {
        if (const auto line = parse_line(take(mountinfo, '\n'))) {
            lines.push_back(*line);
            ids.insert(line->id);
        }
    }
    std::multimap<std::uint64_t, MountLine> by_parent;
    for (const MountLine& line : lines) {
        const bool inside = line.parent != line.id && ids.count(line.parent) != 0;
        by_parent.emplace(inside ? line.parent : kTop, line);
    }
    std::vector<MountLine> out;
    for (const MountLine& line : lines) {
        if (std::find(types.begin(), types.end(), line.type) == types.end()) {
            continue;
        }
        const MountLine* seen = look_up(by_parent, line);
        if (seen != nullptr && seen->id == line.id) {
            out.push_back(line);
        }
    }
    return out;
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
    for (const MountLine& line : visible_mounts(mountinfo, {"cgroup", "cgroup2"})) {
        mounts.push_back({line.type == "cgroup2",
                          unescape(line.root),
                          unescape(line.place),
                          std::string(line.options)});
    }
    return mounts;
}

std::optional<std::string> find_resctrl_mount(std::string_view mountinfo) {
    const auto mounts = visible_mounts(mountinfo, {"resctrl"});
    return mounts.empty() ? std::nullopt : std::optional(unescape(mounts.front().place));
}

}  // namespace warren::cgroups
