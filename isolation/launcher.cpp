#include "isolation/launcher.hpp"

#include <fcntl.h>
#include <linux/sched.h>

#include "isolation/child/interpreter.hpp"
#include "isolation/handshake.hpp"
#include "isolation/pending_child.hpp"

namespace warren::isolation {

using base::Result;
using base::Status;

namespace {

// What only clone3 makes for the child itself; the rest it unshares.
NamespaceSet born_with(const GuestSpec& spec) {
    NamespaceSet set = NamespaceSet::none();
    for (const auto ns : {Namespace::User, Namespace::Pid}) {
        if (spec.namespaces.has(ns)) {
            set.add(ns);
        }
    }
    return set;
}

}  // namespace

// What a child in our memory works on and runs on.
struct Ground {
    child::Context context;
    std::optional<ChildStack> stack;
};

struct PendingGuest::Impl {
    std::unique_ptr<Ground> ground;
    PendingChild child;  // goes before its ground
};

PendingGuest::PendingGuest(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PendingGuest::PendingGuest(PendingGuest&&) noexcept = default;
PendingGuest& PendingGuest::operator=(PendingGuest&&) noexcept = default;
PendingGuest::~PendingGuest() = default;

Result<PendingGuest> PendingGuest::clone(const GuestSpec& spec,
                                         const Recipe& recipe,
                                         int cgroup_fd,
                                         StdioFds stdio) {
    auto channel = TRY(open_channel());
    base::Fd null;
    auto ground = std::make_unique<Ground>();
    ground->context = TRY(make_context(recipe, channel, stdio, null));
    const auto proc = TRY(open_host_proc());
    ground->context.slots[child::kProcSlot] = proc.get();
    CloneRequest request{born_with(spec).clone_flags(), cgroup_fd};
    if (shares_memory(spec)) {
        ground->stack = TRY(ChildStack::make());
        request.stack = &*ground->stack;
    }
    auto child = TRY(clone_child(request, [&](const clone_args& args) {
        return child::clone_guest(args, ground->context);
    }));
    PendingChild pending(recipe, std::move(channel.ours), std::move(child));
    return PendingGuest(std::make_unique<Impl>(Impl{std::move(ground), std::move(pending)}));
}

const base::PidRef& PendingGuest::process() const {
    return impl_->child.process();
}

Status PendingGuest::write_id_maps(const IdMap& map) {
    TRY(impl_->child.write_id_maps(map, false));
    return impl_->child.wake();
}

Result<base::Fd> PendingGuest::user_namespace() const {
    return impl_->child.user_namespace();
}

Result<std::vector<std::string>> PendingGuest::apply_process_limits(const ProcessSpec& process) {
    return apply_limits(impl_->child.process().pid(), process);
}

Result<Launched> PendingGuest::release(const std::vector<int>& slots,
                                       std::vector<base::Fd> spent) && {
    const auto impl = std::move(impl_);  // on every way out but success it kills and reaps
    TRY(impl->child.release(slots));
    spent.clear();
    return impl->child.follow({});
}

}  // namespace warren::isolation
