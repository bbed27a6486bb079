#include "isolation/handshake.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/vfs.h>

#include "base/socket.hpp"
#include "isolation/child/container_step.hpp"
#include "isolation/owned_child.hpp"
#include "isolation/recipe_words.hpp"

namespace warren::isolation {

using base::Error;
using base::ErrorKind;
using base::Result;
using base::Status;

namespace {

Result<base::Fd> move_up(base::Fd fd, int first) {
    if (fd.get() >= first) {
        return fd;
    }
    base::Fd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, first));
    if (!moved) {
        return base::errno_error("duplicate a descriptor");
    }
    return moved;
}

}  // namespace

Result<Channel> open_channel(int first) {
    auto pair = TRY(base::seqpacket_pair());
    return Channel{TRY(move_up(std::move(pair.first), first)),
                   TRY(move_up(std::move(pair.second), first))};
}

Result<child::Context> make_context(const Recipe& recipe,
                                    const Channel& channel,
                                    StdioFds stdio,
                                    base::Fd& null) {
    child::Context context{};
    context.report = channel.childs.get();
    context.peer = channel.ours.get();
    context.steps = recipe.steps().data();
    context.step_count = recipe.steps().size();
    context.sites = recipe.site_texts();
    std::fill(std::begin(context.slots), std::end(context.slots), -1);
    const int given[] = {stdio.in, stdio.out, stdio.err};
    for (int i = 0; i < 3; ++i) {
        context.stdio[i] = given[i];
        if (given[i] >= 0) {
            continue;
        }
        if (!null) {
            null = TRY(base::open_at(AT_FDCWD, "/dev/null", O_RDWR));
        }
        context.stdio[i] = null.get();
    }
    return context;
}

Result<base::Fd> open_host_proc() {
    auto proc = TRY(base::open_at(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW));

    struct statfs info {};

    if (::fstatfs(proc.get(), &info) != 0) {
        return base::errno_error("look at /proc");
    }
    if (info.f_type != PROC_SUPER_MAGIC) {
        return base::fail("look at /proc: not a proc file system");
    }
    return proc;
}

Error entering_error(int error_number) {
    if (error_number == ESRCH) {
        return {ErrorKind::Busy, "enter the guest: its first process has ended"};
    }
    return base::errno_error(error_number, "enter the guest's namespaces");
}

Status send_release(int channel, const std::vector<int>& slots) {
    if (slots.size() > child::kReleasedSlots) {
        return base::usage_error("release: more descriptors than slots");
    }
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (slots[i] < 0) {
            return base::usage_error("release: slot " + std::to_string(i) + " is empty");
        }
    }
    std::string bytes(sizeof(child::kReportMagic), '\0');
    std::memcpy(bytes.data(), &child::kReportMagic, sizeof(child::kReportMagic));
    auto sent = base::send_message(channel, bytes, slots);
    // A peer that is gone (ECONNRESET: with a message unread): what it left in the channel says why.
    if (!sent && sent.error().error_number() != EPIPE &&
        sent.error().error_number() != ECONNRESET) {
        return std::move(sent).error().with_context("release the child");
    }
    return base::ok();
}

Result<std::optional<Received>> receive_report(int channel) {
    constexpr std::size_t kLimit = sizeof(child::Report) + child::kSiteLimit;
    auto received_message = base::receive_message(channel, kLimit, 1);
    if (!received_message && received_message.error().error_number() == ECONNRESET) {
        // The end of a peer that left a message unread is told once, before what it had sent.
        received_message = base::receive_message(channel, kLimit, 1);
    }
    auto message = TRY(std::move(received_message));
    if (!message) {
        return std::optional<Received>();
    }
    Received received;
    if (message->bytes.size() < sizeof(child::Report)) {
        return base::fail("read the child's report: malformed");
    }
    std::memcpy(&received.report, message->bytes.data(), sizeof(child::Report));
    if (received.report.magic != child::kReportMagic) {
        return base::fail("read the child's report: malformed");
    }
    received.site = message->bytes.substr(sizeof(child::Report));
    if (!message->fds.empty()) {
        received.fd = std::move(message->fds.front());
    }
    return std::optional<Received>(std::move(received));
}

namespace {

Error exec_error(const FollowRequest& request, int error_number) {
    const std::string name = in_quotes(request.program);
    const bool path = request.program.find('/') != std::string::npos;
    if (error_number != ENOENT) {
        return base::errno_error(error_number, name).with_place(kExecPlace);
    }
    if (!path) {
        return Error(ErrorKind::NotFound, name + ": not found in PATH").with_place(kExecPlace);
    }
    return (request.container ? Error(ErrorKind::NotFound, error_number, name)
                              : Error(ErrorKind::NotFound,
                                      name + ": no such program, or its interpreter is missing"))
        .with_place(kExecPlace);
}

// `how`: Report::value.
Error hook_error(const std::string& site, int error_number, int how) {
    if (how > 0) {
        return base::fail(site + ": exited with status " +
                          std::to_string(how - child::kHookStatus));
    }
    if (how < 0) {
        return base::fail(site + ": was killed by signal " + std::to_string(-how));
    }
    return error_number == ETIMEDOUT ? base::fail(site + ": took longer than its timeout")
                                     : base::errno_error(error_number, site);
}

Error step_error(const FollowRequest& request, const Received& received) {
    const auto& report = received.report;
    const auto op = static_cast<child::Op>(report.op);
    if (op == child::Op::Exec) {
        return exec_error(request, report.error_number);
    }
    if (op == child::Op::EnterNamespaces) {
        return entering_error(report.error_number);
    }
    const std::string& site =
        request.recipe != nullptr ? request.recipe->site(report.step) : received.site;
    const bool cwd = op == child::Op::ChangeDir || op == child::Op::TryChangeDir ||
                     op == child::Op::RetryChangeDir;
    if (cwd && report.error_number == EXDEV) {
        return base::fail(site + (request.container ? ": outside of the container's root"
                                                    : ": outside of the guest's root"));
    }
    if (op == child::Op::OpenTerminal && report.error_number == ENOTTY) {
        return base::fail(site + ": not a devpts file system");
    }
    if (op == child::Op::Unshare && report.error_number == ENOSPC) {
        return base::errno_error(report.error_number, site + kNamespaceLimit);
    }
    if (op == child::Op::RunHook) {
        return hook_error(site, report.error_number, report.value);
    }
    return base::errno_error(report.error_number, site);
}

// Polls the channel and the process: true while there is something to read.
Result<bool> readable(int channel, const base::PidRef& process) {
    for (;;) {
        pollfd polled[] = {{channel, POLLIN, 0}, {process.pidfd(), POLLIN, 0}};
        if (::poll(polled, 2, -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            return base::errno_error("wait for the child");
        }
        return polled[0].revents != 0;
    }
}

}  // namespace

Result<Launched> follow(int channel, const base::PidRef& process, const FollowRequest& request) {
    Launched launched;
    bool arrived = false;
    while (!(request.until_created && arrived) && TRY(readable(channel, process))) {
        auto received = TRY(receive_report(channel));
        if (!received) {
            break;
        }
        const auto& report = received->report;
        if (request.recipe != nullptr && report.step >= request.recipe->steps().size()) {
            return base::fail("read the child's report: no such step");
        }
        switch (report.kind) {
            case child::ReportKind::Error:
                return step_error(request, *received);
            case child::ReportKind::Note:
                launched.notes.push_back(step_error(request, *received).describe());
                break;
            case child::ReportKind::Master:
                launched.terminal_master = std::move(received->fd);
                break;
            case child::ReportKind::Exec:
            case child::ReportKind::Created:
                arrived = true;
                break;
            case child::ReportKind::Listener:
                if (request.on_listener == nullptr || !*request.on_listener) {
                    return base::fail("seccomp: nobody takes the listener");
                }
                TRY((*request.on_listener)(std::move(received->fd)));
                break;
            case child::ReportKind::Pid:
                return base::fail("read the child's report: out of turn");
        }
    }
    if (!arrived) {
        return base::fail(
            "the process " + death_words(process) +
            (request.until_created ? " before it was created" : " before its program ran"));
    }
    return launched;
}

}  // namespace warren::isolation
