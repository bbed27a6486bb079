#include "isolation/launcher.hpp"

#include <fcntl.h>
#include <linux/sched.h>

#include "isolation/child/interpreter.hpp"
#include "isolation/handshake.hpp"

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

struct PendingGuest::Impl {
    Impl(child::Context laid_out, const Recipe& walked) : context(laid_out), recipe(&walked) {}

    child::Context context;
    std::optional<ChildStack> stack;
    base::Fd channel;
    const Recipe* recipe;
    std::optional<OwnedChild> child;  // goes before what it runs on

    [[nodiscard]] std::string proc_path(const char* name) const {
        return "/proc/" + std::to_string(child->process().pid()) + '/' + name;
    }
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
    auto impl = std::make_unique<Impl>(TRY(make_context(recipe, channel, stdio, null)), recipe);
    const auto proc = TRY(open_host_proc());
    impl->context.slots[child::kProcSlot] = proc.get();
    CloneRequest request{born_with(spec).clone_flags(), cgroup_fd};
    if (shares_memory(spec)) {
        impl->stack = TRY(ChildStack::make());
        request.flags |= CLONE_VM;
        request.stack = &*impl->stack;
    }
    int pidfd = -1;
    const clone_args args = make_clone_args(request, pidfd);
    long pid = 0;
    {
        const SignalsBlocked blocked;
        pid = child::clone_guest(args, impl->context);
    }
    if (pid < 0) {
        return clone_error(static_cast<int>(-pid), request);
    }
    impl->child.emplace(base::PidRef(static_cast<pid_t>(pid), base::Fd(pidfd)));
    impl->channel = std::move(channel.ours);
    return PendingGuest(std::move(impl));
}

const base::PidRef& PendingGuest::process() const {
    return impl_->child->process();
}

// The child is ours and not reaped, so its pid cannot be another's.
Status PendingGuest::write_id_maps(const IdMap& map) {
    TRY(base::write_knob_at(AT_FDCWD, impl_->proc_path("uid_map"), IdMap::text(map.uids)));
    TRY(base::write_knob_at(AT_FDCWD, impl_->proc_path("gid_map"), IdMap::text(map.gids)));
    return send_release(impl_->channel.get(), {});
}

Result<base::Fd> PendingGuest::user_namespace() const {
    return base::open_at(AT_FDCWD, impl_->proc_path("ns/user"), O_RDONLY);
}

Result<std::vector<std::string>> PendingGuest::apply_process_limits(const ProcessSpec& process) {
    return apply_limits(impl_->child->process().pid(), process);
}

Result<Launched> PendingGuest::release(const std::vector<int>& slots,
                                       std::vector<base::Fd> spent) && {
    const auto impl = std::move(impl_);  // on every way out but success it kills and reaps
    if (slots.size() < impl->recipe->released_slots()) {
        return base::usage_error("release: the recipe needs " +
                                 std::to_string(impl->recipe->released_slots()) + " descriptors");
    }
    TRY(send_release(impl->channel.get(), slots));
    spent.clear();
    auto launched = TRY(await_exec(impl->channel.get(), impl->child->process(), *impl->recipe));
    launched.process = impl->child->let_go();
    return launched;
}

}  // namespace warren::isolation
