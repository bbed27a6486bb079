// Records that survive a reboot, and the directories they stand for.
#include <algorithm>
#include <array>
#include <cstdio>

#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "runtime/state/files.hpp"
#include "runtime/state/store.hpp"

namespace warren::state {

namespace {

using base::Durability;
using base::Error;
using base::ErrorKind;
using base::Fd;
using base::Name;
using base::Result;
using base::Status;

constexpr mode_t kDirMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr std::size_t kMaxLastRun = 64U << 10;

constexpr const char* kRecord = "guest.json";
constexpr const char* kLastRun = "last_run.json";
constexpr const char* kSetAside = "corrupt";
constexpr const char* kDoomed = "destroying.json";
constexpr std::array kLastToGo{kSetAside, kRecord, kDoomed};

std::string dir_path(const Name& name) {
    return "guests/" + name.str();
}

std::string volatile_file(const Name& name) {
    return name.str() + ".json";
}

Result<GuestRecord> guest_record_of(const std::string& text,
                                    const Name& name,
                                    Extra extra = Extra::Keep) {
    const auto json = TRY(base::parse_json(text, kRecord, kMaxRecord));
    auto record = TRY(guest_record_from_json(json, extra));
    if (record.name != name.str()) {
        return base::usage_error("the record of another guest, \"" + record.name + "\"")
            .with_place("/name");
    }
    return record;
}

bool still_named(int at, const std::string& path, int fd) {
    struct stat named = {};
    struct stat open = {};
    return ::fstatat(at, path.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           ::fstat(fd, &open) == 0 && named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

// The marker is made first: a guest whose record is gone must never look like one that was never made.
Status move_to_corrupt(int root, const Name& name, const std::string& file_name) {
    const auto record = dir_path(name) + "/" + kRecord;
    const auto marker = dir_path(name) + "/" + kSetAside;
    TRY(base::make_dirs(root, kSetAside, kDirMode));
    TRY(base::remove_file_at(root, marker));
    if (::symlinkat(("../../corrupt/" + file_name).c_str(), root, marker.c_str()) != 0) {
        return base::errno_error("make link " + marker);
    }
    const auto target = "corrupt/" + file_name;
    if (::renameat2(root, record.c_str(), root, target.c_str(), RENAME_NOREPLACE) != 0) {
        return base::errno_error("rename " + record + " to " + target);
    }
    return base::ok();
}

}  // namespace

Result<std::vector<Name>> Store::guest_names() const {
    std::vector<Name> names;
    if (!root_) {
        return names;
    }
    const auto entries = list_entries(root_.get(), "guests", EntryKind::Directory);
    if (!entries) {
        if (entries.error().error_number() == ENOENT) {
            return names;
        }
        return Error(entries.error()).with_context(paths_.root);
    }
    for (const auto& entry : entries.value()) {
        if (auto name = Name::parse_guest(entry)) {
            names.push_back(std::move(name).value());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

Result<bool> Store::has_guest(const Name& name) const {
    if (!root_) {
        return false;
    }
    struct stat info = {};
    if (::fstatat(root_.get(), dir_path(name).c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
        return S_ISDIR(info.st_mode);
    }
    if (errno == ENOENT) {
        return false;
    }
    return base::errno_error("look up " + paths_.root + "/" + dir_path(name));
}

Result<std::optional<FileVersion>> Store::guest_version(const Name& name) const {
    constexpr std::uint64_t kNanosPerSecond = 1'000'000'000;
    if (!root_) {
        return std::optional<FileVersion>();
    }
    const auto path = dir_path(name) + "/" + kRecord;
    struct stat info = {};
    if (::fstatat(root_.get(), path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) {
            return std::optional<FileVersion>();
        }
        return base::errno_error("look up " + paths_.root + "/" + path);
    }
    FileVersion version;
    version.inode = info.st_ino;
    version.changed = static_cast<std::uint64_t>(info.st_ctim.tv_sec) * kNanosPerSecond +
                      static_cast<std::uint64_t>(info.st_ctim.tv_nsec);
    return std::optional(version);
}

Result<Fd> Store::guest_dir(const Name& name) const {
    const int root = TRY(require_root());
    auto dir = base::open_dir(root, dir_path(name), base::Resolve::NoSymlinks);
    if (!dir && dir.error().error_number() == ENOENT) {
        return Error(ErrorKind::NotFound, "no guest is named " + name.str());
    }
    return base::with_context(std::move(dir), paths_.root);
}

Result<std::optional<GuestRecord>> Store::load_guest(const Name& name, Extra extra) const {
    if (!root_) {
        return std::optional<GuestRecord>();
    }
    const auto path = dir_path(name) + "/" + kRecord;
    const auto file = TRY(base::with_context(open_record(root_.get(), path), paths_.root));
    if (!file) {
        return without_record(name);
    }
    auto text = read_record(file->get(), kMaxRecord, path);
    if (!text && text.error().error_number() != EFBIG) {
        return std::move(text).error().with_context(paths_.root);
    }
    auto record =
        text ? guest_record_of(text.value(), name, extra) : Result<GuestRecord>(text.error());
    if (record) {
        return std::optional(std::move(record).value());
    }
    if (record.error().kind() == ErrorKind::Unsupported) {
        return std::move(record).error().with_context("read the record of guest " + name.str());
    }
    return set_aside(name, file->get(), record.error());
}

// No guest.json: a guest with remove_on_stop, one that is being destroyed, or nothing was ever made here, or it was set
// aside.
Result<std::optional<GuestRecord>> Store::without_record(const Name& name) const {
    if (auto record = TRY(load_volatile(name)); record) {
        return record;
    }
    if (auto record = TRY(load_doomed(name)); record) {
        return record;
    }
    const auto marker = base::read_link_at(root_.get(), dir_path(name) + "/" + kSetAside);
    if (!marker) {
        if (marker.error().error_number() == ENOENT) {
            return std::optional<GuestRecord>();
        }
        return Error(marker.error()).with_context(paths_.root);
    }
    const auto file_name = marker.value().substr(marker.value().rfind('/') + 1);
    return Error(ErrorKind::Corrupt,
                 "the record of guest " + name.str() + " could not be read and is kept as " +
                     paths_.root + "/corrupt/" + file_name + "; mend it and put it back as " +
                     paths_.root + "/" + dir_path(name) + "/" + kRecord + ", or destroy the guest");
}

Result<std::optional<GuestRecord>> Store::load_volatile(const Name& name) const {
    const auto path = paths_.run + "/" + kVolatileRecords + "/" + volatile_file(name);
    const auto file = TRY(open_record(AT_FDCWD, path));
    if (!file || !TRY(has_guest(name))) {
        return std::optional<GuestRecord>();
    }
    const auto text = read_record(file->get(), kMaxRecord, path);
    auto record = text ? guest_record_of(text.value(), name) : Result<GuestRecord>(text.error());
    return record ? std::optional(std::move(record).value()) : std::optional<GuestRecord>();
}

// Of a record that cannot be read any more nothing is needed that removing the guest does not find without it.
Result<std::optional<GuestRecord>> Store::load_doomed(const Name& name) const {
    const auto path = dir_path(name) + "/" + kDoomed;
    const auto file = TRY(base::with_context(open_record(root_.get(), path), paths_.root));
    if (!file) {
        return std::optional<GuestRecord>();
    }
    const auto text = read_record(file->get(), kMaxRecord, path);
    auto record = text ? guest_record_of(text.value(), name) : Result<GuestRecord>(text.error());
    if (!record) {
        return std::optional<GuestRecord>();
    }
    record.value().phase = GuestPhase::Destroying;
    return std::optional(std::move(record).value());
}

Status Store::begin_removal(const Name& name) const {
    const int root = TRY(require_root());
    const auto from = dir_path(name) + "/" + kRecord;
    const auto to = dir_path(name) + "/" + kDoomed;
    if (::renameat(root, from.c_str(), root, to.c_str()) != 0 && errno != ENOENT) {
        return base::errno_error("rename " + paths_.root + "/" + from + " to " + to);
    }
    return base::ok();
}

Result<std::optional<GuestRecord>> Store::set_aside(const Name& name,
                                                    int fd,
                                                    const Error& why) const {
    const auto path = dir_path(name) + "/" + kRecord;
    if (!still_named(root_.get(), path, fd)) {
        return Error(ErrorKind::Busy,
                     "guest " + name.str() + " is being changed by another command");
    }
    const auto file_name = name.str() + "." + base::format_time_now() + ".json";
    const auto what =
        "the record of guest " + name.str() + " cannot be read (" + why.describe() + ")";
    if (const auto moved = move_to_corrupt(root_.get(), name, file_name); !moved) {
        return Error(ErrorKind::Corrupt, what + " and could not be set aside")
            .with_secondary(Error(moved.error()).with_context(paths_.root));
    }
    return Error(ErrorKind::Corrupt,
                 what + " and was set aside as " + paths_.root + "/corrupt/" + file_name);
}

Status Store::save_guest(const GuestRecord& record) const {
    const auto name = TRY(Name::parse_guest(record.name));
    const auto context = "save guest " + name.str();
    const int root = TRY(base::with_context(require_root(), context));
    const auto text = TRY(base::with_context(record_text(to_json(record)), context));
    const bool lasting = !record.config.remove_on_stop;
    if (lasting && record.lease && record.phase == GuestPhase::Ready) {
        // Or a power cut could leave a guest whose id range is given to another.
        TRY(base::with_context(sync_dir(root, "leases"), paths_.root));
    }
    if (::mkdirat(root, dir_path(name).c_str(), kDirMode) == 0) {
        if (lasting) {
            TRY(base::with_context(sync_dir(root, "guests"), paths_.root));
        }
    } else if (errno != EEXIST) {
        return base::errno_error("make directory " + paths_.root + "/" + dir_path(name));
    }
    if (!lasting) {
        return replace_in_run(kVolatileRecords, volatile_file(name), text);
    }
    return base::with_context(write_record(name, text), paths_.root + "/" + dir_path(name));
}

Status Store::write_record(const Name& name, const std::string& text) const {
    const Fd dir = TRY(base::open_dir(root_.get(), dir_path(name), base::Resolve::NoSymlinks));
    TRY(base::replace_file_at(dir.get(), kRecord, text, kFileMode, Durability::Durable));
    TRY(base::remove_file_at(dir.get(), kSetAside));
    // guest.json.tmp of a writer that died is taken over by replace_file_at; this one may never be.
    return base::remove_file_at(dir.get(), std::string(kLastRun) + ".tmp");
}

Status Store::remove_guest(const Name& name) const {
    if (!TRY(has_guest(name))) {
        return base::ok();
    }
    const auto context = paths_.root + "/" + dir_path(name);
    const Fd dir = TRY(guest_dir(name));
    const auto entries = TRY(base::with_context(base::list_dir(dir.get(), "."), context));
    const auto has = [&entries](const char* entry) {
        return std::find(entries.begin(), entries.end(), entry) != entries.end();
    };
    const auto volatile_record = paths_.run + "/" + kVolatileRecords + "/" + volatile_file(name);
    if (!has(kRecord) && !has(kDoomed) && !TRY(base::exists_at(AT_FDCWD, volatile_record))) {
        TRY(release_leases_of(name));
    }
    TRY(base::with_context(remove_content(dir.get(), entries), context));
    // With the marker gone and the record not, the next command reads the record; without both the directory is
    // as one that was never finished. Either way it is removed.
    for (const char* last : kLastToGo) {
        if (has(last)) {
            TRY(base::with_context(base::remove_file_at(dir.get(), last), context));
        }
    }
    TRY(base::remove_file_at(AT_FDCWD, volatile_record));
    return base::with_context(base::remove_tree_at(root_.get(), dir_path(name)), paths_.root);
}

Status Store::remove_content(int dir, const std::vector<std::string>& entries) {
    std::optional<Error> first;
    for (const auto& entry : entries) {
        if (std::find(kLastToGo.begin(), kLastToGo.end(), entry) != kLastToGo.end()) {
            continue;
        }
        // What can go goes, even when something else stays.
        if (auto removed = base::remove_tree_at(dir, entry); !removed) {
            if (first) {
                first->add_secondary(std::move(removed).error());
            } else {
                first = std::move(removed).error();
            }
        }
    }
    return first ? Status(std::move(*first)) : Status(base::ok());
}

Result<std::optional<LastRun>> Store::load_last_run(const Name& name) const {
    if (!root_) {
        return std::optional<LastRun>();
    }
    const auto path = dir_path(name) + "/" + kLastRun;
    const auto file = TRY(base::with_context(open_record(root_.get(), path), paths_.root));
    if (!file) {
        return std::optional<LastRun>();
    }
    const auto text = read_record(file->get(), kMaxLastRun, path);
    const auto json =
        text ? base::parse_json(text.value(), path) : Result<base::Json>(text.error());
    auto last = json ? last_run_from_json(json.value()) : Result<LastRun>(json.error());
    return last ? std::optional(std::move(last).value()) : std::optional<LastRun>();
}

Status Store::save_last_run(const Name& name, const LastRun& last) const {
    const auto text = TRY(record_text(to_json(last)));
    const Fd dir = TRY(guest_dir(name));
    return base::with_context(
        base::replace_file_at(dir.get(), kLastRun, text, kFileMode, Durability::Volatile),
        paths_.root + "/" + dir_path(name));
}

}  // namespace warren::state
