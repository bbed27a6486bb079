#include "runtime/engine/oci/container.hpp"
#include "runtime/engine/oci/teardown.hpp"

namespace warren::engine::oci {

namespace {

// Before the lock is asked for: a `start` that never ends would hold it.
base::Status kill_unlocked(const Context& context, const std::string& id_text) {
    const auto container = TRY(open_container(context, id_text));
    return kill_container(context, container.record);
}

base::Status delete_locked(const Context& context, Container container) {
    return remove_container(context, std::move(container.dir), std::move(container.record));
}

base::Status delete_forced(const Context& context, const std::string& id) {
    if (auto killed = kill_unlocked(context, id); !killed) {
        if (killed.error().kind() == base::ErrorKind::NotFound) {
            return base::ok();
        }
        // An unreadable record: what the directory holds goes, and the error says where the record was put.
        if (killed.error().kind() == base::ErrorKind::Corrupt) {
            const auto name = TRY(state::oci::ContainerId::parse(id));
            auto dir = TRY(context.store.lock(name, base::LockMode::Exclusive, kLockTimeout));
            context.log.warning("delete: " + killed.error().describe());
            return context.store.remove(std::move(dir));
        }
        return killed;
    }
    auto container = lock_container(context, id);
    if (!container && container.error().kind() == base::ErrorKind::NotFound) {
        return base::ok();  // somebody else was faster
    }
    return delete_locked(context, TRY(std::move(container)));
}

}  // namespace

base::Status Engine::delete_container(const DeleteRequest& request) {
    const auto context = TRY(Context::open(settings_, log_, faults_, false));
    if (request.force) {
        return delete_forced(context, request.id);
    }
    auto container = TRY(lock_container(context, request.id));
    const auto status = TRY(status_of(context, container));
    if (status != Status::Stopped) {
        return state_error(
            request.id,
            "is " + std::string(name(status)) + ", not stopped: kill it first, or use --force");
    }
    return delete_locked(context, std::move(container));
}

}  // namespace warren::engine::oci
