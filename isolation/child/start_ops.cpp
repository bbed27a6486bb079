// Between create and start: the container stands, its first process waits for somebody to start it.
#include <fcntl.h>
#include <sys/socket.h>

#include "isolation/child/ops.hpp"
#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

namespace {

void sort_up(int* numbers, std::size_t count) {
    for (std::size_t i = 1; i < count; ++i) {
        for (std::size_t j = i; j > 0 && numbers[j] < numbers[j - 1]; --j) {
            const int lower = numbers[j];
            numbers[j] = numbers[j - 1];
            numbers[j - 1] = lower;
        }
    }
}

}  // namespace

// CloseAllBut: a the first number that is not kept, data the slots that are, b their number; the report's channel is
// kept as well. Closed, not only close-on-exec: see CloseOthers.
int close_all_but(const Context& context, const Step& step) {
    constexpr std::size_t kLimit = 8;
    int kept[kLimit + 1];
    std::size_t count = 0;
    kept[count++] = context.report;
    const auto* slots = static_cast<const std::int32_t*>(step.data);
    for (std::size_t i = 0; i < step.b && i < kLimit; ++i) {
        kept[count++] = context.slots[slots[i]];
    }
    sort_up(kept, count);
    auto first = static_cast<unsigned>(step.a);
    for (std::size_t i = 0; i < count; ++i) {
        const auto number = static_cast<unsigned>(kept[i]);
        if (kept[i] < 0 || number < first) {
            continue;
        }
        if (number > first) {
            const int result = status(SYS_close_range, first, number - 1, 0U);
            if (result != 0) {
                return result;
            }
        }
        first = number + 1;
    }
    return status(SYS_close_range, first, ~0U, 0U);
}

// ReportCreated: the last word to whoever made the container.
int report_created(Context& context) {
    const Report report{kReportMagic, ReportKind::Created, context.step, 0, 0, 0};
    const int result = send_report(context, report, -1);
    (void)sys(SYS_close, context.report);
    context.report = -1;
    return result;
}

// WaitStart: slot the listening socket. One that connects and goes away again has not started anything; whoever sends
// the go hears how it went. From here on reports carry their site.
int wait_start(Context& context, const Step& step) {
    for (;;) {
        const int peer =
            descriptor(SYS_accept4, context.slots[step.slot], nullptr, nullptr, SOCK_CLOEXEC);
        if (peer == -EINTR || peer == -ECONNABORTED) {
            continue;
        }
        if (peer < 0) {
            return peer;
        }
        if (receive_go(peer, nullptr, 0) == 1) {
            clear_slot(context, step.slot);
            context.report = peer;
            context.tell_site = context.sites != nullptr;
            return 0;
        }
        (void)sys(SYS_close, peer);
    }
}

}  // namespace warren::isolation::child
