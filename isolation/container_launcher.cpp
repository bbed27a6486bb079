#include "isolation/container_launcher.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>

#include "isolation/child/interpreter.hpp"
#include "isolation/handshake.hpp"
#include "isolation/joiner.hpp"
#include "isolation/owned_child.hpp"
#include "isolation/pending_child.hpp"
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

Result<OwnedChild> clone_through_joiner(Channel& channel,
                                        child::Context& context,
                                        const ContainerSpec& spec,
                                        int cgroup_fd) {
    const auto request = join_request(spec);
    OwnedChild joiner = TRY(clone_child({0, cgroup_fd}, [&](const clone_args& args) {
        return child::clone_container_joiner(args, context, request);
    }));
    channel.childs.reset();
    return adopt(channel.ours.get(), std::move(joiner));
}

Result<OwnedChild> clone_first(Channel& channel,
                               child::Context& context,
                               const ContainerSpec& spec,
                               int cgroup_fd) {
    if (spec.namespaces.need_joiner()) {
        return clone_through_joiner(channel, context, spec, cgroup_fd);
    }
    return clone_child({fresh_flags(spec), cgroup_fd},
                       [&](const clone_args& args) { return child::clone_guest(args, context); });
}

Result<std::vector<std::string>> apply_all(pid_t pid, const ContainerProcess& process) {
    TRY(apply_attributes(pid, process));
    return apply_limits(pid, process, true);
}

}  // namespace

struct PendingContainer::Impl {
    PendingChild child;
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
    auto child = TRY(clone_first(channel, context, spec, cgroup_fd));
    PendingChild pending(recipe, std::move(channel.ours), std::move(child));
    return PendingContainer(std::make_unique<Impl>(Impl{std::move(pending)}));
}

const base::PidRef& PendingContainer::process() const {
    return impl_->child.process();
}

Status PendingContainer::write_id_maps(const IdMap& map, bool deny_setgroups) {
    return impl_->child.write_id_maps(map, deny_setgroups);
}

Result<base::Fd> PendingContainer::user_namespace() const {
    return impl_->child.user_namespace();
}

Result<std::vector<std::string>> PendingContainer::apply_process(const ContainerProcess& process) {
    return apply_all(impl_->child.process().pid(), process);
}

base::Error PendingContainer::explain(base::Error failure) const {
    const auto ended = process().wait_exit(std::chrono::milliseconds{0});
    if (!ended || !ended.value()) {
        return failure;
    }
    return base::fail("the process " + death_words(process()) + " before it was created");
}

Result<Created> PendingContainer::release(const std::vector<int>& slots,
                                          const std::function<Status()>& meanwhile) && {
    const auto impl = std::move(impl_);  // on every way out but success it kills and reaps
    TRY(impl->child.release(slots));
    TRY(meanwhile());
    FollowRequest request;
    request.container = true;
    request.until_created = true;
    auto launched = TRY(impl->child.follow(request));
    return Created{std::move(launched.process),
                   std::move(launched.terminal_master),
                   std::move(launched.notes)};
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
    auto child = TRY(clone_joined(channel, context, target, flags, cgroup_fd));
    PendingChild joined(recipe, std::move(channel.ours), std::move(child));
    auto notes = TRY(apply_all(joined.process().pid(), spec.process));
    TRY(joined.release(slots));
    FollowRequest request;
    request.container = true;
    request.on_listener = &on_listener;
    auto launched = TRY(joined.follow(request));
    launched.notes.insert(launched.notes.begin(), notes.begin(), notes.end());
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
