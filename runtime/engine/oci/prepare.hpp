// Opens what travels with the release: detached mounts, the start socket, the state for hooks.
#pragma once

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "runtime/engine/oci/plan.hpp"

namespace warren::engine::oci {

// What slots are made of beside paths. Borrowed.
struct SlotInputs {
    int start_socket = -1;
    int user_namespace = -1;  // of the container; -1: the host's
    std::string state;        // for hooks
};

// One descriptor a slot, in order. Nothing appears in the host's mount table.
[[nodiscard]] base::Result<std::vector<base::Fd>> prepare_slots(
    const std::vector<SlotSource>& slots, const SlotInputs& inputs);

// A user namespace that nobody is in, for idmapped mounts (mount_setattr(2)).
[[nodiscard]] base::Result<base::Fd> make_user_namespace(const isolation::IdMap& map);

}  // namespace warren::engine::oci
