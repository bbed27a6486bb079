#include "runtime/engine/engine.hpp"

#include <algorithm>

#include "runtime/engine/context.hpp"
#include "runtime/engine/recover.hpp"

namespace warren::engine {

Engine::Engine(
    Paths paths, state::Store store, spec::HostCaps host, std::string boot_id, base::Log log)
    : paths_(std::move(paths)),
      store_(std::move(store)),
      host_(std::move(host)),
      boot_id_(std::move(boot_id)),
      log_(std::move(log)) {}

base::Result<Engine> Engine::open(const Paths& paths, bool create_root, const base::Log& log) {
    auto store = TRY(state::Store::open(paths.store, create_root));
    auto host = TRY(spec::probe_host_caps());
    return Engine(paths, std::move(store), std::move(host), TRY(base::boot_id()), log);
}

Context Engine::context() {
    return Context{paths_, store_, host_, boot_id_, log_, faults_};
}

base::Result<images::ImageStore> Engine::images() const {
    return images::ImageStore::open(store_.root_dir());
}

base::Status Engine::remove_image(const base::Name& name) {
    const auto store = TRY(images());
    const auto lock = TRY(base::FileLock::acquire(
        store.lock_dir(), ".users", base::LockMode::Exclusive, kLockTimeout));
    if (!TRY(store.exists(name))) {
        return base::usage_error("no image named " + name.str());
    }
    for (const auto& guest : TRY(store_.guest_names())) {
        const auto record = store_.load_guest(guest);
        // A guest whose record cannot be read may be made of it: the image stays.
        if (!record || (record.value() && record.value()->config.image == name.str())) {
            return base::Error(base::ErrorKind::Busy,
                               "image " + name.str() + " is used by guest " + guest.str());
        }
    }
    return store.remove(name);
}

base::Result<std::vector<base::Name>> Engine::select(const Selection& selection) {
    std::vector<base::Name> names = selection.names;
    if (names.empty() && (selection.all || !selection.labels.empty())) {
        for (const auto& name : TRY(store_.guest_names())) {
            if (selection.labels.empty()) {
                names.push_back(name);
                continue;
            }
            const auto record = store_.load_guest(name);
            const bool readable = record && record.value();
            if (readable &&
                std::all_of(
                    selection.labels.begin(), selection.labels.end(), [&](const auto& wanted) {
                        const auto& labels = record.value()->config.labels;
                        const auto found = labels.find(wanted.first);
                        return found != labels.end() && found->second == wanted.second;
                    })) {
                names.push_back(name);
            }
        }
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

}  // namespace warren::engine
