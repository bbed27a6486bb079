#include "isolation/pending_child.hpp"

#include <fcntl.h>

namespace warren::isolation {

using base::Result;
using base::Status;

std::string PendingChild::proc_path(const char* name) const {
    return "/proc/" + std::to_string(process().pid()) + '/' + name;
}

Status PendingChild::write_id_maps(const IdMap& map, bool deny_setgroups) const {
    if (deny_setgroups) {
        TRY(base::write_knob_at(AT_FDCWD, proc_path("setgroups"), "deny"));
    }
    TRY(base::write_knob_at(AT_FDCWD, proc_path("uid_map"), IdMap::text(map.uids)));
    return base::write_knob_at(AT_FDCWD, proc_path("gid_map"), IdMap::text(map.gids));
}

Result<base::Fd> PendingChild::user_namespace() const {
    return base::open_at(AT_FDCWD, proc_path("ns/user"), O_RDONLY);
}

Status PendingChild::release(const std::vector<int>& slots) const {
    if (slots.size() < recipe_->released_slots()) {
        return base::usage_error("release: the recipe needs " +
                                 std::to_string(recipe_->released_slots()) + " descriptors");
    }
    return send_release(channel_.get(), slots);
}

Result<Launched> PendingChild::follow(FollowRequest request) {
    request.recipe = recipe_;
    request.program = recipe_->program();
    auto launched = TRY(isolation::follow(channel_.get(), process(), request));
    launched.process = child_.let_go();
    return launched;
}

}  // namespace warren::isolation
