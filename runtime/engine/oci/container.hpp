// A container as it is now. Whoever meets one whose maker or remover died half-way undoes it first.
#pragma once

#include <optional>
#include <string>

#include "base/pidref.hpp"
#include "base/result.hpp"
#include "runtime/engine/oci/context.hpp"
#include "runtime/engine/oci/engine.hpp"
#include "runtime/spec/oci/config.hpp"
#include "runtime/state/oci/state.hpp"
#include "runtime/state/oci/store.hpp"

namespace warren::engine::oci {

struct Container {
    state::oci::ContainerDir dir;  // locked when it comes from lock_container()
    state::oci::Record record;
    std::optional<base::PidRef> init;  // absent: it has ended, or was never made
};

// NotFound: 'container "ID" does not exist', be it that it was undone just now. Without the lock: one that is being
// made or removed this moment comes back as it stands.
[[nodiscard]] base::Result<Container> open_container(const Context& context, const std::string& id);
// The same, exclusively locked; its phase is Ready.
[[nodiscard]] base::Result<Container> lock_container(const Context& context, const std::string& id);

[[nodiscard]] base::Result<Status> status_of(const Context& context, const Container& container);
[[nodiscard]] base::Result<ContainerView> view_of(const Context& context,
                                                  const Container& container);

// What hooks read: the state of the spec. `pid` 0: none.
[[nodiscard]] std::string state_text(const state::oci::Record& record, Status status, pid_t pid);

// The copy of the bundle's config.json, parsed.
[[nodiscard]] base::Result<spec::oci::Config> load_config(const state::oci::ContainerDir& dir);

// Of the recorded boot, alive, and no zombie.
[[nodiscard]] base::Result<std::optional<base::PidRef>> open_init(const state::oci::Record& record);

// 'container "ID" is not running' and the like; `why` as "is not running".
[[nodiscard]] base::Error state_error(const std::string& id, const std::string& why);

}  // namespace warren::engine::oci
