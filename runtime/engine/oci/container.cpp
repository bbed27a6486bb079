#include "runtime/engine/oci/container.hpp"

#include <algorithm>
#include <string_view>

#include <nlohmann/json.hpp>

#include "runtime/engine/oci/teardown.hpp"
#include "runtime/spec/oci/parse.hpp"

namespace warren::engine::oci {

namespace {

using state::oci::ContainerDir;
using state::oci::ContainerId;
using state::oci::Phase;
using state::oci::Record;

base::Error not_found(const std::string& id) {
    return {base::ErrorKind::NotFound, "container \"" + id + "\" does not exist"};
}

// `record` absent: its maker died before it wrote one.
base::Status undo(const Context& context, ContainerDir dir, std::optional<Record> record) {
    if (!record) {
        return context.store.remove(std::move(dir));
    }
    return remove_container(context, std::move(dir), std::move(*record));
}

// By /etc/passwd alone: services that know more are not asked. The uid itself when it has no name.
std::string host_user(uid_t uid) {
    const auto text = base::read_file_at(AT_FDCWD, "/etc/passwd", 16U << 20);
    std::string number = std::to_string(uid);
    if (!text) {
        return number;
    }
    std::string_view rest = text.value();
    while (!rest.empty()) {
        const auto end = std::min(rest.find('\n'), rest.size());
        const auto line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const auto name = line.substr(0, line.find(':'));
        const auto password = line.find(':', name.size() + 1);
        if (password != std::string_view::npos &&
            line.substr(password + 1, number.size() + 1) == number + ":") {
            return std::string(name);
        }
    }
    return number;
}

base::Result<Container> with_init(ContainerDir dir, Record record) {
    if (record.boot_id != TRY(base::boot_id())) {
        // It ended with its boot, and its cgroup with it: one of that path now is another's.
        set_cgroup_record(record, {});
    }
    // One that is being made: `kill --all` must not reach who is there already.
    forget_cgroup_of_others(record);
    auto init = TRY(open_init(record));
    return Container{std::move(dir), std::move(record), std::move(init)};
}

}  // namespace

base::Result<std::optional<base::PidRef>> open_init(const Record& record) {
    if (!record.init || record.boot_id != TRY(base::boot_id())) {
        return std::optional<base::PidRef>();
    }
    return base::PidRef::open(*record.init);
}

base::Result<Container> open_container(const Context& context, const std::string& id_text) {
    const auto id = TRY(ContainerId::parse(id_text));
    auto dir = TRY(context.store.open(id));
    auto record = TRY(dir.load());
    if (record && record->phase == Phase::Ready) {
        return with_init(std::move(dir), std::move(*record));
    }
    auto locked = context.store.lock(id, base::LockMode::Exclusive, std::chrono::milliseconds{0});
    if (!locked) {
        if (locked.error().kind() != base::ErrorKind::Busy) {
            return std::move(locked).error();
        }
        if (!record) {
            record.emplace();
            record->id = id.str();
        }
        return with_init(std::move(dir), std::move(*record));
    }
    // Read again: whoever had the lock may have finished meanwhile.
    record = TRY(locked.value().load());
    if (record && record->phase == Phase::Ready) {
        return with_init(std::move(dir), std::move(*record));
    }
    TRY(undo(context, std::move(locked).value(), std::move(record)));
    return not_found(id_text);
}

base::Result<Container> lock_container(const Context& context, const std::string& id_text) {
    const auto id = TRY(ContainerId::parse(id_text));
    auto dir = TRY(context.store.lock(id, base::LockMode::Exclusive, kLockTimeout));
    auto record = TRY(dir.load());
    if (record && record->phase == Phase::Ready) {
        return with_init(std::move(dir), std::move(*record));
    }
    TRY(undo(context, std::move(dir), std::move(record)));
    return not_found(id_text);
}

base::Result<Status> status_of(const Context& context, const Container& container) {
    if (container.record.phase == Phase::Creating) {
        return Status::Creating;
    }
    if (!container.init) {
        return Status::Stopped;
    }
    if (!container.record.cgroup.empty()) {
        const auto cgroup =
            cgroups::ContainerCgroup::open(context.host, cgroup_record(container.record));
        if (cgroup) {
            const auto frozen = cgroup.value().cgroup().frozen();
            if (frozen && frozen.value()) {
                return Status::Paused;
            }
        }
    }
    return TRY(container.dir.has_start_socket()) ? Status::Created : Status::Running;
}

base::Result<ContainerView> view_of(const Context& context, const Container& container) {
    const Record& record = container.record;
    ContainerView view;
    view.oci_version = record.oci_version;
    view.id = record.id;
    view.status = TRY(status_of(context, container));
    view.pid = container.init ? container.init->pid() : 0;
    view.bundle = record.bundle;
    view.rootfs = record.rootfs;
    view.created = record.created;
    view.owner = host_user(record.owner);
    view.annotations = record.annotations;
    return view;
}

std::string state_text(const Record& record, Status status, pid_t pid) {
    state::oci::State state;
    state.oci_version = record.oci_version;
    state.id = record.id;
    state.status = std::string(name(status));
    state.pid = pid;
    state.bundle = record.bundle;
    state.annotations = record.annotations;
    return base::dump_json(state::oci::to_json(state));
}

base::Result<spec::oci::Config> load_config(const ContainerDir& dir) {
    return spec::oci::parse_config(TRY(dir.load_config()));
}

base::Error state_error(const std::string& id, const std::string& why) {
    return {base::ErrorKind::Busy, "container \"" + id + "\" " + why};
}

}  // namespace warren::engine::oci
