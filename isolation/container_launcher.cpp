#include "isolation/container_launcher.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "isolation/child/interpreter.hpp"
#include "isolation/handshake.hpp"
#include "isolation/process_attributes.hpp"

namespace warren::isolation {

using base::Result;
using base::Status;

namespace {

constexpr int kFirstProgramFd = 3;

int first_free(const ContainerProcess& process) {
    return kFirstProgramFd + static_cast<int>(process.preserve_fds);
}

// A number that is not open now would be taken by something of ours.
Status check_preserved(const ContainerProcess& process) {
    for (int fd = kFirstProgramFd; fd < first_free(process); ++fd) {
        if (::fcntl(fd, F_GETFD) < 0) {
            return base::usage_error("preserve descriptors: " + std::to_string(fd) +
                                     " is not open");
        }
    }
    return base::ok();
}

std::uint64_t fresh_flags(const ContainerSpec& spec) {
    NamespaceSet fresh = spec.namespaces.fresh;
    // By unshare, in the child: see the plan.
    fresh.remove(Namespace::Cgroup);
    if (spec.late_network) {
        fresh.remove(Namespace::Net);
    }
    if (!spec.time_offsets.empty()) {
        fresh.remove(Namespace::Time);
    }
    return fresh.clone_flags();
}

std::uint64_t clone_flag(Namespace type) {
    NamespaceSet one = NamespaceSet::none();
    one.add(type);
    return one.clone_flags();
}

child::JoinRequest join_request(const ContainerSpec& spec) {
    child::JoinRequest request{};
    std::fill(std::begin(request.fds), std::end(request.fds), -1);
    request.user_fd = -1;
    request.clone_flags = fresh_flags(spec);
    request.dumpable = spec.rootless;
    std::size_t count = 0;
    for (const auto& ns : spec.namespaces.joined) {
        if (ns.type == Namespace::User) {
            request.user_fd = ns.fd;
            continue;
        }
        request.fds[count] = ns.fd;
        request.types[count++] = clone_flag(ns.type);
    }
    return request;
}

Result<OwnedChild> clone_directly(child::Context& context, const CloneRequest& request) {
    int pidfd = -1;
    const clone_args args = make_clone_args(request, pidfd);
    long pid = 0;
    {
        const SignalsBlocked blocked;
        pid = child::clone_guest(args, context);
    }
    if (pid < 0) {
        return clone_error(static_cast<int>(-pid), request);
    }
    return OwnedChild(base::PidRef(static_cast<pid_t>(pid), base::Fd(pidfd)));
}

Result<OwnedChild> clone_through_joiner(Channel& channel,
                                        child::Context& context,
                                        const ContainerSpec& spec,
                                        int cgroup_fd) {
    const CloneRequest request{0, cgroup_fd};
    int pidfd = -1;
    const clone_args args = make_clone_args(request, pidfd);
    long pid = 0;
    {
        const SignalsBlocked blocked;
        pid = child::clone_container_joiner(args, context, join_request(spec));
    }
    if (pid < 0) {
        return clone_error(static_cast<int>(-pid), request);
    }
    OwnedChild joiner(base::PidRef(static_cast<pid_t>(pid), base::Fd(pidfd)));
    channel.childs.reset();
    return adopt(channel.ours.get(), std::move(joiner));
}

Result<std::vector<std::string>> apply_all(pid_t pid, const ContainerProcess& process) {
    TRY(apply_attributes(pid, process));
    return apply_limits(pid, process, true);
}

}  // namespace

struct PendingContainer::Impl {
    OwnedChild child;
    base::Fd channel;
    const Recipe* recipe;

    [[nodiscard]] std::string proc_path(const char* name) const {
        return "/proc/" + std::to_string(child.process().pid()) + '/' + name;
    }
};

PendingContainer::PendingContainer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PendingContainer::PendingContainer(PendingContainer&&) noexcept = default;
PendingContainer& PendingContainer::operator=(PendingContainer&&) noexcept = default;
PendingContainer::~PendingContainer() = default;

Result<PendingContainer> PendingContainer::clone(const ContainerSpec& spec,
                                                 const Recipe& recipe,
                                                 int cgroup_fd,
                                                 StdioFds stdio) {
    TRY(check_preserved(spec.process));
    const auto proc = TRY(open_host_proc());
    auto channel = TRY(open_channel(first_free(spec.process)));
    base::Fd null;
    child::Context context = TRY(make_context(recipe, channel, stdio, null));
    context.slots[child::kProcSlot] = proc.get();
    for (const auto& ns : spec.namespaces.joined) {
        context.slots[child::kNamespaceSlot + static_cast<int>(ns.type)] = ns.fd;
    }
    const auto affinity = TRY(AffinityScope::enter(spec.process.initial_cpus));
    OwnedChild child = spec.namespaces.need_joiner()
                           ? TRY(clone_through_joiner(channel, context, spec, cgroup_fd))
                           : TRY(clone_directly(context, {fresh_flags(spec), cgroup_fd}));
    return PendingContainer(
        std::make_unique<Impl>(Impl{std::move(child), std::move(channel.ours), &recipe}));
}

const base::PidRef& PendingContainer::process() const {
    return impl_->child.process();
}

// The child is ours and not reaped, so its pid cannot be another's.
Status PendingContainer::write_id_maps(const IdMap& map, bool deny_setgroups) {
    if (deny_setgroups) {
        TRY(base::write_knob_at(AT_FDCWD, impl_->proc_path("setgroups"), "deny"));
    }
    TRY(base::write_knob_at(AT_FDCWD, impl_->proc_path("uid_map"), IdMap::text(map.uids)));
    return base::write_knob_at(AT_FDCWD, impl_->proc_path("gid_map"), IdMap::text(map.gids));
}

Result<base::Fd> PendingContainer::user_namespace() const {
    return base::open_at(AT_FDCWD, impl_->proc_path("ns/user"), O_RDONLY);
}

Result<std::vector<std::string>> PendingContainer::apply_process(const ContainerProcess& process) {
    return apply_all(impl_->child.process().pid(), process);
}

Result<Created> PendingContainer::release(const std::vector<int>& slots,
                                          const std::function<Status()>& meanwhile) && {
    const auto impl = std::move(impl_);  // on every way out but success it kills and reaps
    if (slots.size() < impl->recipe->released_slots()) {
        return base::usage_error("release: the recipe needs " +
                                 std::to_string(impl->recipe->released_slots()) + " descriptors");
    }
    TRY(send_release(impl->channel.get(), slots));
    TRY(meanwhile());
    FollowRequest request;
    request.recipe = impl->recipe;
    request.container = true;
    request.until_created = true;
    auto launched = TRY(follow(impl->channel.get(), impl->child.process(), request));
    return Created{
        impl->child.let_go(), std::move(launched.terminal_master), std::move(launched.notes)};
}

Result<Started> await_started(int connection,
                              const std::string& program,
                              const base::PidRef& process,
                              const ListenerHandler& on_listener) {
    TRY(send_release(connection, {}));
    FollowRequest request;
    request.program = program;
    request.container = true;
    request.on_listener = &on_listener;
    auto launched = TRY(follow(connection, process, request));
    return Started{std::move(launched.notes)};
}

Result<Launched> join_container(const ContainerJoin& spec,
                                const Recipe& recipe,
                                const base::PidRef& target,
                                int cgroup_fd,
                                StdioFds stdio,
                                const std::vector<int>& slots,
                                const ListenerHandler& on_listener) {
    TRY(check_preserved(spec.process));
    const auto proc = TRY(open_host_proc());
    auto channel = TRY(open_channel(first_free(spec.process)));
    base::Fd null;
    child::Context context = TRY(make_context(recipe, channel, stdio, null));
    context.slots[child::kProcSlot] = proc.get();
    const auto flags = spec.namespaces.clone_flags();
    const auto affinity = TRY(AffinityScope::enter(spec.process.initial_cpus));
    OwnedChild joined = TRY(clone_joined(channel, context, target, flags, cgroup_fd));
    auto notes = TRY(apply_all(joined.process().pid(), spec.process));
    TRY(send_release(channel.ours.get(), slots));
    FollowRequest request;
    request.recipe = &recipe;
    request.program = recipe.program();
    request.container = true;
    request.on_listener = &on_listener;
    auto launched = TRY(follow(channel.ours.get(), joined.process(), request));
    launched.notes.insert(launched.notes.begin(), notes.begin(), notes.end());
    launched.process = joined.let_go();
    return launched;
}

Result<base::Fd> state_file(std::string_view json) {
    base::Fd file(::memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) {
        return base::errno_error("make a file for the state");
    }
    TRY(base::write_all(file.get(), json, "the state"));
    if (::fcntl(file.get(),
                F_ADD_SEALS,
                F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
        return base::errno_error("seal the file of the state");
    }
    return file;
}

}  // namespace warren::isolation
