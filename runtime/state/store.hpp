// The two directories of a warren and the files in them. Every path is built from a base::Name.
//
//   ROOT/  guests/NAME/{guest.json,last_run.json,log,upper/,work/}   leases/INDEX -> NAME   cache/
//          guests/NAME/corrupt -> the record that was set aside
//          guests/NAME/destroying.json   the guest.json of a guest that is being destroyed
//          objects/ images/ (images module)
//   RUN/   locks/NAME   guests/NAME.json   console.sock
//          volatile/NAME.json   the guest.json of a guest with remove_on_stop, which a crash of the host voids
//
// RUN and its directories are made on first need and removed by tidy() when nothing is left in them.
// A guest's directory is 0700: in upper/ lie the guest's own setuid files, owned by the host's root.
// Who saves or removes holds the guest's exclusive lock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/ids.hpp"
#include "base/lock.hpp"
#include "base/result.hpp"
#include "runtime/state/records.hpp"

namespace warren::state {

struct StorePaths {
    std::string root = "/var/lib/warren";
    std::string run = "/run/warren";
};

class Store {
public:
    // Makes ROOT (0711: guests' roots must be reachable through id-mapped walks of their own, listing is root's) when `create`;
    // otherwise an absent root is an empty store. Read-only roots and full disks answer as errors that name the directory.
    [[nodiscard]] static base::Result<Store> open(const StorePaths& paths, bool create);

    [[nodiscard]] const StorePaths& paths() const { return paths_; }

    [[nodiscard]] int root_dir() const { return root_.get(); }

    // RUN as a directory; made when absent.
    [[nodiscard]] base::Result<base::Fd> run_dir() const;
    // ROOT/cache, made when absent (0700).
    [[nodiscard]] base::Result<base::Fd> cache_dir() const;

    // Names with a guest directory, sorted. One directory scan.
    [[nodiscard]] base::Result<std::vector<base::Name>> guest_names() const;
    [[nodiscard]] base::Result<bool> has_guest(const base::Name& name) const;
    // Exclusive or shared lock on a guest, also on one that does not exist yet. Lock order: names ascending.
    [[nodiscard]] base::Result<base::FileLock> lock(const base::Name& name,
                                                    base::LockMode mode,
                                                    std::chrono::milliseconds timeout) const;
    // Names with a lock file, of guests or of none, sorted: one scan. No RUN, no names.
    [[nodiscard]] base::Result<std::vector<base::Name>> lock_names() const;
    // True when somebody holds the exclusive lock now. Takes it shared for a moment, so a try of another to have it
    // exclusively without waiting can fail: ask only about guests in a half-way phase.
    [[nodiscard]] base::Result<bool> is_locked(const base::Name& name) const;

    // guests/NAME, made by the first save_guest.
    [[nodiscard]] base::Result<base::Fd> guest_dir(const base::Name& name) const;
    // nullopt: no such guest, or a directory whose guest.json was never written (the maker died before: remove_guest is due).
    // A file that cannot be read as a record is moved to ROOT/corrupt/NAME.<time>.json and answers Corrupt, naming the new place,
    // then and ever after: the guest's disk is still there. It ends by putting the file back, or by remove_guest. A record of a newer
    // warren answers Unsupported and stays where it is. The unreadable record of a guest with remove_on_stop is none: nullopt.
    [[nodiscard]] base::Result<std::optional<GuestRecord>> load_guest(
        const base::Name& name, Extra extra = Extra::Keep) const;
    // Of guest.json as it is now; nullopt when there is none.
    [[nodiscard]] base::Result<std::optional<FileVersion>> guest_version(
        const base::Name& name) const;
    // Durable, but for a guest with remove_on_stop.
    [[nodiscard]] base::Status save_guest(const GuestRecord& record) const;
    // Says that the guest is to go: from here on its record answers Destroying, whoever dies. One rename(2), not synced: what
    // is removed afterwards is in the file system's journal after it, and a guest that a power cut brings back is whole.
    // None to rename (remove_on_stop, or not the first time) is success.
    [[nodiscard]] base::Status begin_removal(const base::Name& name) const;
    // The directory with all in it, last of all; needs the exclusive lock. The record goes after all other content, so an
    // interrupted removal is met again in the phase that was saved before. Without a record the guest's lease is looked for
    // and released as well. Absent is success.
    [[nodiscard]] base::Status remove_guest(const base::Name& name) const;

    // Another boot's record is returned as it is. An unreadable one is moved to ROOT/corrupt/NAME.run.<time>.json and answers
    // Corrupt, once: after that nobody knows of that run, and what is left of it is found by the guest's cgroup.
    [[nodiscard]] base::Result<std::optional<RunRecord>> load_run(const base::Name& name,
                                                                  Extra extra = Extra::Keep) const;
    [[nodiscard]] base::Status save_run(const RunRecord& record) const;  // volatile: temp + rename
    [[nodiscard]] base::Status remove_run(const base::Name& name) const;
    // Names with a run record: one scan.
    [[nodiscard]] base::Result<std::vector<base::Name>> run_names() const;

    // A remark, not state: not synced, and one that cannot be read is none.
    [[nodiscard]] base::Result<std::optional<LastRun>> load_last_run(const base::Name& name) const;
    [[nodiscard]] base::Status save_last_run(const base::Name& name, const LastRun& last) const;

    // Id ranges: index i stands for the 65,536 host ids from lease_base(i). A lease is a symbolic link made in one step,
    // so it is never half-made; probing starts at a hash of root and name: no scan of all leases.
    [[nodiscard]] base::Result<std::uint32_t> first_free_lease(const base::Name& name) const;
    // Exists when somebody else was faster; success when it is this guest's already.
    [[nodiscard]] base::Status take_lease(std::uint32_t index, const base::Name& name) const;
    // Only when it is this guest's; absent, or another's, is success.
    [[nodiscard]] base::Status release_lease(std::uint32_t index, const base::Name& name) const;
    // Of a guest whose record cannot be read: looks through all leases for its name.
    [[nodiscard]] base::Status release_leases_of(const base::Name& name) const;
    [[nodiscard]] static std::uint32_t lease_base(std::uint32_t index);

    // Removes lock file `name` (held by the caller; another's is left alone) and RUN's empty directories. Nothing to
    // remove is success. Call it last: from here on the name is free for others.
    [[nodiscard]] base::Status tidy(const base::Name& name) const;
    // tidy()'s first half, for many: the caller shows the lock, nobody has to look for it.
    [[nodiscard]] base::Status remove_lock(const base::Name& name, base::FileLock lock) const;

private:
    Store(StorePaths paths, base::Fd root) : paths_(std::move(paths)), root_(std::move(root)) {}

    // NotFound for an empty store.
    [[nodiscard]] base::Result<int> require_root() const;
    [[nodiscard]] base::Result<base::Fd> open_run(const char* part) const;
    [[nodiscard]] base::Result<std::optional<GuestRecord>> without_record(
        const base::Name& name) const;
    [[nodiscard]] base::Result<std::optional<GuestRecord>> set_aside(const base::Name& name,
                                                                     int fd,
                                                                     const base::Error& why) const;
    [[nodiscard]] base::Error set_run_aside(const base::Name& name,
                                            const std::string& text,
                                            const base::Error& why) const;
    [[nodiscard]] base::Result<std::optional<GuestRecord>> load_volatile(
        const base::Name& name) const;
    [[nodiscard]] base::Result<std::optional<GuestRecord>> load_doomed(
        const base::Name& name) const;
    [[nodiscard]] base::Status write_record(const base::Name& name, const std::string& text) const;
    [[nodiscard]] base::Status remove_lock_files(int run, const base::Name& name) const;
    // Temp + rename of RUN/PART/FILE, unsynced; makes the directory when it is not there.
    [[nodiscard]] base::Status replace_in_run(const char* part,
                                              const std::string& file,
                                              const std::string& text) const;
    [[nodiscard]] static base::Status remove_content(int dir,
                                                     const std::vector<std::string>& entries);

    StorePaths paths_;
    base::Fd root_;  // invalid: an empty store
};

// Host ids of leases: 0x20000000 .. 0x6fff0000, inside the range systemd reserves for containers.
inline constexpr std::uint32_t kLeaseFirstId = 0x20000000;
inline constexpr std::uint32_t kLeaseCount = (0x6fff0000U - kLeaseFirstId) / 65536U;
inline constexpr std::uint32_t kLeaseIds = 65536;

}  // namespace warren::state
