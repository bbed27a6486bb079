// A cloned child that waits for its release, whatever it is to become. Internal to isolation.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/pidref.hpp"
#include "base/result.hpp"
#include "isolation/handshake.hpp"
#include "isolation/owned_child.hpp"
#include "isolation/recipe.hpp"
#include "isolation/types.hpp"

namespace warren::isolation {

// Kills and reaps the child when it goes, unless follow() let it go. As long as it is not reaped, its pid cannot be another's.
class PendingChild {
public:
    // `channel`: the parent's end. The recipe is the one that the child walks, and must outlive the object.
    PendingChild(const Recipe& recipe, base::Fd channel, OwnedChild child)
        : recipe_(&recipe), channel_(std::move(channel)), child_(std::move(child)) {}

    [[nodiscard]] const base::PidRef& process() const { return child_.process(); }

    // With a user namespace of its own. Who has no privileges has to deny setgroups(2).
    [[nodiscard]] base::Status write_id_maps(const IdMap& map, bool deny_setgroups) const;
    [[nodiscard]] base::Result<base::Fd> user_namespace() const;

    // The go, with no descriptors, at a wait before the last.
    [[nodiscard]] base::Status wake() const { return send_release(channel_.get(), {}); }

    // The go at the last wait, with the descriptors of slots 0.., of which the recipe says how many it needs.
    [[nodiscard]] base::Status release(const std::vector<int>& slots) const;
    // Waits until the child has come as far as the request says, and lets it go; the request's recipe and program are filled in.
    // On failure the child is still ours.
    [[nodiscard]] base::Result<Launched> follow(FollowRequest request);

private:
    [[nodiscard]] std::string proc_path(const char* name) const;

    const Recipe* recipe_;
    base::Fd channel_;
    OwnedChild child_;
};

}  // namespace warren::isolation
