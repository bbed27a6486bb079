#include "runtime/spec/oci/mount_options.hpp"

#include <algorithm>
#include <array>

#include <linux/mount.h>
#include <sys/mount.h>

#include "base/units.hpp"

namespace warren::spec::oci {

namespace {

using base::Result;
using base::Status;

constexpr std::size_t kMaxWord = 4095;
constexpr std::uint32_t kNoId = 0xffffffffU;

// A bit of struct mount_attr that a word sets or clears.
struct BitWord {
    std::string_view word;
    std::uint64_t bit;
    bool set;
};

constexpr std::array<BitWord, 12> kBits{{
    {"ro", MOUNT_ATTR_RDONLY, true},
    {"rw", MOUNT_ATTR_RDONLY, false},
    {"nosuid", MOUNT_ATTR_NOSUID, true},
    {"suid", MOUNT_ATTR_NOSUID, false},
    {"nodev", MOUNT_ATTR_NODEV, true},
    {"dev", MOUNT_ATTR_NODEV, false},
    {"noexec", MOUNT_ATTR_NOEXEC, true},
    {"exec", MOUNT_ATTR_NOEXEC, false},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, true},
    {"diratime", MOUNT_ATTR_NODIRATIME, false},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, true},
    {"symfollow", MOUNT_ATTR_NOSYMFOLLOW, false},
}};

// The three ways of MOUNT_ATTR__ATIME. A word that takes one of them away leaves what the kernel does by
// default, which is relatime.
struct TimeWord {
    std::string_view word;
    std::uint64_t way;
    bool set;
};

constexpr std::array<TimeWord, 6> kTimes{{
    {"noatime", MOUNT_ATTR_NOATIME, true},
    {"atime", MOUNT_ATTR_NOATIME, false},
    {"strictatime", MOUNT_ATTR_STRICTATIME, true},
    {"nostrictatime", MOUNT_ATTR_STRICTATIME, false},
    {"relatime", MOUNT_ATTR_RELATIME, true},
    {"norelatime", MOUNT_ATTR_RELATIME, false},
}};

struct PropagationWord {
    std::string_view word;
    Propagation value;
};

constexpr std::array<PropagationWord, 8> kPropagations{{
    {"private", {PropagationKind::Private, false}},
    {"rprivate", {PropagationKind::Private, true}},
    {"shared", {PropagationKind::Shared, false}},
    {"rshared", {PropagationKind::Shared, true}},
    {"slave", {PropagationKind::Slave, false}},
    {"rslave", {PropagationKind::Slave, true}},
    {"unbindable", {PropagationKind::Unbindable, false}},
    {"runbindable", {PropagationKind::Unbindable, true}},
}};

constexpr std::array<std::string_view, 4> kNothing{"defaults", "loud", "silent", "noiversion"};

// Words of a superblock; each of a pair undoes the other.
constexpr std::array<std::array<std::string_view, 2>, 5> kSuperblock{{
    {"sync", "async"},
    {"dirsync", ""},
    {"lazytime", "nolazytime"},
    {"mand", "nomand"},
    {"iversion", ""},
}};

struct FlagWord {
    std::string_view word;
    bool MountOptions::*flag;
};

constexpr std::array<FlagWord, 6> kFlagWords{{
    {"bind", &MountOptions::bind},
    {"remount", &MountOptions::remount},
    {"tmpcopyup", &MountOptions::tmpcopyup},
    {"copy-symlink", &MountOptions::copy_symlink},
    {"dest-nofollow", &MountOptions::dest_nofollow},
    {"src-nofollow", &MountOptions::src_nofollow},
}};

void change_time(AttributeChange& change, const TimeWord& time) {
    const bool decided = (change.clear & MOUNT_ATTR__ATIME) != 0;
    if (time.set) {
        change.set &= ~static_cast<std::uint64_t>(MOUNT_ATTR__ATIME);
        change.set |= time.way;
    } else if (decided && (change.set & MOUNT_ATTR__ATIME) == time.way) {
        change.set &= ~static_cast<std::uint64_t>(MOUNT_ATTR__ATIME);
    } else if (decided || time.way == MOUNT_ATTR_RELATIME) {
        return;  // another way was asked for, or nothing is taken away
    }
    change.clear |= MOUNT_ATTR__ATIME;
}

bool read_attribute(std::string_view word, AttributeChange& change) {
    for (const auto& bit : kBits) {
        if (bit.word == word) {
            (bit.set ? change.set : change.clear) |= bit.bit;
            (bit.set ? change.clear : change.set) &= ~bit.bit;
            return true;
        }
    }
    for (const auto& time : kTimes) {
        if (time.word == word) {
            change_time(change, time);
            return true;
        }
    }
    return false;
}

bool read_superblock(std::string_view word, std::vector<std::string>& words) {
    for (const auto& pair : kSuperblock) {
        if (word.empty() || (word != pair[0] && word != pair[1])) {
            continue;
        }
        std::erase_if(words, [&pair](const std::string& known) {
            return known == pair[0] || known == pair[1];
        });
        words.emplace_back(word);
        return true;
    }
    return false;
}

bool read_flag(std::string_view word, MountOptions& options) {
    if (word == "rbind") {
        options.bind = options.recursive_bind = true;
        return true;
    }
    for (const auto& flag : kFlagWords) {
        if (flag.word == word) {
            options.*flag.flag = true;
            return true;
        }
    }
    return false;
}

Result<std::uint32_t> read_id(std::string_view text) {
    return static_cast<std::uint32_t>(TRY(base::parse_uint(text, 0, kNoId - 1)));
}

// "0-100-10", with or without a '@' before it.
Result<MountIdRange> read_id_range(std::string_view text) {
    MountIdRange out;
    const auto whole = text;
    if (text.starts_with('@')) {
        out.relative = true;
        text.remove_prefix(1);
    }
    const auto first = text.find('-');
    const auto second = first == std::string_view::npos ? first : text.find('-', first + 1);
    if (second == std::string_view::npos) {
        return base::usage_error("expected ID-ID-COUNT, found \"" + std::string(whole) + "\"");
    }
    out.range.inside = TRY(read_id(text.substr(0, first)));
    out.range.outside = TRY(read_id(text.substr(first + 1, second - first - 1)));
    out.range.count = TRY(read_id(text.substr(second + 1)));
    const auto highest = std::max(out.range.inside, out.range.outside);
    if (out.range.count == 0 || out.range.count > kNoId - highest) {
        return base::usage_error("no such range of ids: \"" + std::string(whole) + "\"");
    }
    return out;
}

Status read_id_ranges(std::string_view text, std::vector<MountIdRange>& ranges) {
    if (!ranges.empty()) {
        return base::usage_error("the same ids mapped twice");
    }
    while (!text.empty()) {
        const auto end = std::min(text.find('#'), text.size());
        ranges.push_back(TRY(read_id_range(text.substr(0, end))));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return base::ok();
}

// "uids=...;gids=...".
Status read_maps(std::string_view text, MountOptions& options) {
    while (!text.empty()) {
        const auto end = std::min(text.find(';'), text.size());
        const auto part = text.substr(0, end);
        if (part.starts_with("uids=")) {
            TRY(read_id_ranges(part.substr(5), options.uids));
        } else if (part.starts_with("gids=")) {
            TRY(read_id_ranges(part.substr(5), options.gids));
        } else {
            return base::usage_error("expected uids= or gids=, found \"" + std::string(part) +
                                     "\"");
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (options.uids.empty() || options.gids.empty()) {
        return base::usage_error("a map of ids needs uids= and gids=");
    }
    return base::ok();
}

Result<bool> read_map_word(std::string_view word, MountOptions& options) {
    const auto name = word.substr(0, word.find('='));
    if (name != "idmap" && name != "ridmap") {
        return false;
    }
    options.id_map = name == "idmap" ? MountIdMap::One : MountIdMap::Recursive;
    if (name.size() != word.size()) {
        TRY(read_maps(word.substr(name.size() + 1), options));
    }
    return true;
}

Status check_word(std::string_view word) {
    if (word.empty()) {
        return base::usage_error("an empty mount option");
    }
    if (word.size() > kMaxWord) {
        return base::usage_error("a mount option longer than " + std::to_string(kMaxWord) +
                                 " bytes");
    }
    if (std::any_of(word.begin(), word.end(), [](char c) { return c == '\0' || c == '\n'; })) {
        return base::usage_error("a mount option with a NUL or a newline");
    }
    return base::ok();
}

void read_data(std::string_view word, MountOptions& options) {
    const auto equals = word.find('=');
    if (equals == std::string_view::npos) {
        options.data.emplace_back(word, std::nullopt);
    } else {
        options.data.emplace_back(word.substr(0, equals), std::string(word.substr(equals + 1)));
    }
}

Status read_word(std::string_view word, MountOptions& options) {
    TRY(check_word(word));
    if (read_attribute(word, options.attributes) || read_superblock(word, options.superblock) ||
        read_flag(word, options) ||
        std::find(kNothing.begin(), kNothing.end(), word) != kNothing.end()) {
        return base::ok();
    }
    if (const auto propagation = parse_propagation(word)) {
        options.propagation.push_back(*propagation);
        return base::ok();
    }
    if (word.starts_with('r') && read_attribute(word.substr(1), options.recursive)) {
        return base::ok();
    }
    if (TRY(read_map_word(word, options))) {
        return base::ok();
    }
    if (word.starts_with('=')) {
        return base::usage_error("a mount option without a name");
    }
    read_data(word, options);
    return base::ok();
}

}  // namespace

std::uint64_t Propagation::ms_flag() const {
    switch (kind) {
        case PropagationKind::Private:
            return MS_PRIVATE;
        case PropagationKind::Shared:
            return MS_SHARED;
        case PropagationKind::Slave:
            return MS_SLAVE;
        case PropagationKind::Unbindable:
            return MS_UNBINDABLE;
    }
    return 0;
}

Result<MountOptions> parse_mount_options(const std::vector<std::string>& words) {
    MountOptions options;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (auto read = read_word(words[i], options); !read) {
            return std::move(read).error().with_place("/" + std::to_string(i));
        }
    }
    return options;
}

std::optional<std::string> superblock_change(const MountOptions& options) {
    constexpr std::array<std::string_view, 3> kDefaults{"async", "nolazytime", "nomand"};
    for (const auto& word : options.superblock) {
        if (std::find(kDefaults.begin(), kDefaults.end(), word) == kDefaults.end()) {
            return word;
        }
    }
    return std::nullopt;
}

std::vector<std::string> mount_option_words() {
    std::vector<std::string> out{"rbind", "idmap", "ridmap"};
    for (const auto& bit : kBits) {
        out.emplace_back(bit.word);
        out.push_back("r" + std::string(bit.word));
    }
    for (const auto& time : kTimes) {
        out.emplace_back(time.word);
        out.push_back("r" + std::string(time.word));
    }
    for (const auto& propagation : kPropagations) {
        out.emplace_back(propagation.word);
    }
    for (const auto& pair : kSuperblock) {
        out.emplace_back(pair[0]);
        out.emplace_back(pair[1]);
    }
    for (const auto& flag : kFlagWords) {
        out.emplace_back(flag.word);
    }
    out.insert(out.end(), kNothing.begin(), kNothing.end());
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    std::erase(out, "");
    return out;
}

std::optional<Propagation> parse_propagation(std::string_view word) {
    for (const auto& propagation : kPropagations) {
        if (propagation.word == word) {
            return propagation.value;
        }
    }
    return std::nullopt;
}

std::string propagation_word(const Propagation& propagation) {
    for (const auto& known : kPropagations) {
        if (known.value == propagation) {
            return std::string(known.word);
        }
    }
    return "";
}

}  // namespace warren::spec::oci
