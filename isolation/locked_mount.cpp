#include "isolation/locked_mount.hpp"

#include <linux/sched.h>
#include <sys/stat.h>

#include "isolation/child/interpreter.hpp"
#include "isolation/handshake.hpp"
#include "isolation/owned_child.hpp"

namespace warren::isolation {

base::Result<base::Fd> lock_mount(base::Fd mount) {
    struct stat info {};

    if (::fstat(mount.get(), &info) != 0) {
        return base::errno_error("lock a mount");
    }
    auto channel = TRY(open_channel());
    child::Context context{};
    context.report = channel.childs.get();
    context.peer = channel.ours.get();
    const OwnedChild helper = TRY(clone_child({CLONE_NEWNS}, [&](const clone_args& args) {
        return child::clone_locker(args, context, mount.get(), S_ISDIR(info.st_mode));
    }));
    channel.childs.reset();
    auto received = TRY(receive_report(channel.ours.get()));
    if (!received) {
        return base::fail("lock a mount: the helper " + death_words(helper.process()));
    }
    if (received->report.kind != child::ReportKind::Master || !received->fd) {
        return base::errno_error(received->report.error_number, "lock a mount");
    }
    return std::move(received->fd);
}

}  // namespace warren::isolation
