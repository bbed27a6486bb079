// The directory of all containers, and that of each.
//
//   ROOT/ID/state.json           Record
//   ROOT/ID/state.json.corrupt   a record that could not be read, set aside
//   ROOT/ID/config.json          the bundle's, as it was at `create`
//   ROOT/ID/exec.json            ExecRecord
//   ROOT/ID/start.sock           the child listens: created and not yet started
//   ROOT/#N                      a container's directory before it has its name
//
// The lock of a container is flock(2) on its directory: there is nothing to leave behind, and a directory gets
// its name only when its maker has locked it. Nothing survives a reboot, so nothing is synced.
//
// Who saves or removes holds the exclusive lock; who only reads the record needs none.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/lock.hpp"
#include "base/result.hpp"
#include "runtime/state/oci/exec_record.hpp"
#include "runtime/state/oci/record.hpp"

namespace warren::state::oci {

// "/run/warren-oci", or "$XDG_RUNTIME_DIR/warren-oci" for an ordinary user, who needs the variable.
[[nodiscard]] base::Result<std::string> default_root(bool rootless, const char* xdg_runtime_dir);

// One container's directory, open. Owns the descriptor, and with it the lock when there is one.
class ContainerDir {
public:
    [[nodiscard]] const ContainerId& id() const { return id_; }

    // ROOT/ID: for listen_at(), connect_at() and openat(2).
    [[nodiscard]] int fd() const { return fd_.get(); }

    // nullopt: no record was ever saved (its maker died before, or is about to). One that cannot be read is set aside and answers
    // Corrupt, naming the place, then and until the container is removed. One of a newer warren answers Unsupported and stays.
    [[nodiscard]] base::Result<std::optional<Record>> load() const;
    // temp + rename.
    [[nodiscard]] base::Status save(const Record& record) const;

    // The copy of config.json.
    [[nodiscard]] base::Status save_config(std::string_view text) const;
    [[nodiscard]] base::Result<std::string> load_config() const;

    [[nodiscard]] base::Status save_exec(const ExecRecord& record) const;
    // nullopt: there is none, or a newer warren-oci's; what it would say follows from the config. Corrupt, naming the place.
    [[nodiscard]] base::Result<std::optional<ExecRecord>> load_exec() const;

    // start.sock: base::listen_at(fd(), kStartSocket, 0600) makes it, base::connect_at(fd(), kStartSocket) finds it.
    [[nodiscard]] base::Result<bool> has_start_socket() const;
    [[nodiscard]] base::Status remove_start_socket() const;  // absent is success

private:
    friend class Store;

    ContainerDir(ContainerId id, base::Fd fd) : id_(std::move(id)), fd_(std::move(fd)) {}

    [[nodiscard]] base::Error set_aside(const base::Error& why) const;
    [[nodiscard]] base::Status remove_content() const;

    ContainerId id_;
    base::Fd fd_;
};

inline constexpr const char* kStartSocket = "start.sock";

class Store {
public:
    // `create` makes ROOT (0700, with the sticky bit, which keeps it from being tidied away out of an XDG_RUNTIME_DIR); otherwise an
    // absent ROOT is an empty store.
    [[nodiscard]] static base::Result<Store> open(std::string root, bool create);

    [[nodiscard]] const std::string& root() const { return root_; }

    // A new container's directory (0700), exclusively locked from the moment it has its name. Exists when the id is taken.
    [[nodiscard]] base::Result<ContainerDir> create(const ContainerId& id) const;

    // NotFound: 'container "ID" does not exist'.
    [[nodiscard]] base::Result<ContainerDir> open(const ContainerId& id) const;
    // With the lock; Busy after `timeout`. NotFound also when it is removed while we wait.
    [[nodiscard]] base::Result<ContainerDir> lock(const ContainerId& id,
                                                  base::LockMode mode,
                                                  std::chrono::milliseconds timeout) const;
    // Whether somebody holds the exclusive lock now. Takes it shared for a moment, so another's try to have it exclusively without
    // waiting can fail: ask only about containers in a half-way phase.
    [[nodiscard]] base::Result<bool> is_locked(const ContainerId& id) const;

    // Everything in it, the record last, then the directory. `dir` holds the exclusive lock. An interrupted removal is met again in the
    // phase that was saved before. The name is free for others from here on.
    [[nodiscard]] base::Status remove(ContainerDir dir) const;

    // Ids with a directory, sorted: one scan. What is no id is not ours and left out.
    [[nodiscard]] base::Result<std::vector<ContainerId>> ids() const;

    // Removes directories whose makers died before they had a name; create() does it, too.
    void sweep() const;

private:
    Store(std::string root, base::Fd dir) : root_(std::move(root)), dir_(std::move(dir)) {}

    std::string root_;
    base::Fd dir_;  // invalid: an empty store
};

}  // namespace warren::state::oci
