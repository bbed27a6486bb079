#include "guest_fixture.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "isolation/capabilities.hpp"
#include "isolation/defaults.hpp"
#include "isolation/mounts.hpp"

namespace warren::isolation::test {

namespace {

std::string temporary_dir() {
    char name[] = "/tmp/warren-launch-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    return name;
}

base::Result<base::Fd> pipe_end(base::Fd& read_end) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return base::errno_error("make a pipe");
    }
    read_end = base::Fd(ends[0]);
    return base::Fd(ends[1]);
}

}  // namespace

bool can_launch() {
    if (::geteuid() == 0 && ::access("/proc/self/ns/user", F_OK) == 0) {
        return true;
    }
    MESSAGE("skipped: needs root and user namespaces");
    return false;
}

TestRoot::TestRoot(std::uint32_t owner) : path_(temporary_dir()), owner_(owner) {
    auto dir = base::open_dir(AT_FDCWD, path_);
    REQUIRE(dir);
    dir_ = std::move(dir).value();
    REQUIRE(::fchmod(fd(), 0755) == 0);
    own(".");
    make_dir("bin");
    const auto payload = base::open_at(AT_FDCWD, WARREN_PAYLOAD, O_RDONLY);
    REQUIRE(payload);
    const auto copy = base::open_at(fd(), "bin/inspect", O_WRONLY | O_CREAT, 0755);
    REQUIRE(copy);
    while (true) {
        const ssize_t done =
            ::sendfile(copy.value().get(), payload.value().get(), nullptr, 1U << 24);
        REQUIRE(done >= 0);
        if (done == 0) {
            break;
        }
    }
    own("bin/inspect");
}

TestRoot::~TestRoot() {
    (void)base::remove_tree_at(AT_FDCWD, path_);
}

base::Fd TestRoot::mount() const {
    auto mount = open_bind_source(path_, false, false, -1);
    REQUIRE(mount);
    return std::move(mount).value();
}

void TestRoot::own(const std::string& path) const {
    REQUIRE(::fchownat(fd(), path.c_str(), owner_, owner_, AT_SYMLINK_NOFOLLOW) == 0);
}

void TestRoot::make_dir(const std::string& path) {
    REQUIRE(::mkdirat(fd(), path.c_str(), 0755) == 0);
    own(path);
}

void TestRoot::make_link(const std::string& target, const std::string& path) {
    REQUIRE(::symlinkat(target.c_str(), fd(), path.c_str()) == 0);
    own(path);
}

void TestRoot::make_fifo(const std::string& path) {
    REQUIRE(::mkfifoat(fd(), path.c_str(), 0666) == 0);
    own(path);
}

void TestRoot::make_file(const std::string& path, const std::string& text, mode_t mode) {
    const auto file = base::open_at(fd(), path, O_WRONLY | O_CREAT, mode);
    REQUIRE(file);
    REQUIRE(base::write_all(file.value().get(), text, path));
    own(path);
}

bool TestRoot::has(const std::string& path) const {
    return ::faccessat(fd(), path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

OutsideDir::OutsideDir() : path_(temporary_dir()) {}

OutsideDir::~OutsideDir() {
    (void)::rmdir(path_.c_str());
}

GuestSpec guest_spec(std::vector<std::string> args) {
    GuestSpec spec;
    if (::access("/proc/self/ns/time", F_OK) != 0) {
        spec.namespaces.remove(Namespace::Time);
    }
    spec.hostname = "guest1";
    spec.share_memory = true;
    spec.mounts = default_mounts(GuestKind::Machine, spec.namespaces);
    spec.machine = true;
    spec.process.argv = {"inspect"};
    spec.process.argv.insert(spec.process.argv.end(), args.begin(), args.end());
    spec.process.env = {"PATH=/nowhere:/bin", "COLOR=green"};
    spec.process.capabilities =
        process_capabilities(default_bounding(GuestKind::Machine, false), true);
    return spec;
}

JoinSpec join_spec(const GuestSpec& guest, std::vector<std::string> args) {
    JoinSpec spec{guest.namespaces, guest.process};
    spec.process.argv = {"inspect"};
    spec.process.argv.insert(spec.process.argv.end(), args.begin(), args.end());
    spec.process.stdio = Stdio::Given;
    spec.process.console_device = false;
    return spec;
}

Running::~Running() {
    if (launched_.process.valid() && !reaped_) {
        (void)launched_.process.signal(SIGKILL);
        (void)base::reap(launched_.process);
    }
}

base::Json Running::report() {
    const int from = output_.valid() ? output_.get() : launched_.terminal_master.get();
    std::string line;
    for (char c = 0; c != '\n';) {
        pollfd polled{from, POLLIN, 0};
        REQUIRE(::poll(&polled, 1, 30'000) == 1);
        REQUIRE(::read(from, &c, 1) == 1);
        line += c;
    }
    const auto parsed = base::parse_json(line, "the payload's report");
    REQUIRE(parsed);
    return parsed.value();
}

base::ExitStatus Running::wait() {
    const auto status = base::reap(launched_.process);
    REQUIRE(status);
    reaped_ = true;
    return status.value();
}

void Running::signal(int number) const {
    REQUIRE(launched_.process.signal(number));
}

base::Result<Running> launch(const GuestSpec& spec,
                             const TestRoot& root,
                             const LaunchOptions& options) {
    const auto recipe = TRY(plan_guest(spec, options.filter));
    base::Fd read_end;
    const auto write_end = TRY(pipe_end(read_end));
    const bool users = spec.namespaces.has(Namespace::User);
    const std::uint32_t owner = users ? kIdBase : 0;
    auto pending = TRY(PendingGuest::clone(
        spec, recipe, options.cgroup_fd, StdioFds{-1, write_end.get(), write_end.get()}));
    if (users) {
        TRY(pending.write_id_maps(IdMap::contiguous(kIdBase, kIdCount)));
    }
    auto notes = TRY(pending.apply_process_limits(spec.process));
    if (options.before_release) {
        options.before_release(pending);
    }
    const auto dev = TRY(make_dev(default_devices(GuestKind::Machine), owner, owner));
    const auto root_mount = root.mount();
    std::vector<int> slots{root_mount.get(), dev.get()};
    slots.insert(slots.end(), options.binds.begin(), options.binds.end());
    auto launched = TRY(std::move(pending).release(slots));
    launched.notes.insert(launched.notes.begin(), notes.begin(), notes.end());
    const bool terminal = spec.process.stdio == Stdio::Terminal;
    return Running(std::move(launched), terminal ? base::Fd() : std::move(read_end));
}

base::Result<Running> join(const JoinSpec& spec,
                           const base::PidRef& target,
                           const SeccompProgram& filter,
                           int cgroup_fd) {
    const auto recipe = TRY(plan_join(spec, filter));
    base::Fd read_end;
    const auto write_end = TRY(pipe_end(read_end));
    const StdioFds stdio{-1, write_end.get(), write_end.get()};
    auto launched = TRY(join_guest(spec, recipe, target, cgroup_fd, stdio));
    const bool terminal = spec.process.stdio == Stdio::Terminal;
    return Running(std::move(launched), terminal ? base::Fd() : std::move(read_end));
}

base::Json inspect(const GuestSpec& spec, const TestRoot& root, const LaunchOptions& options) {
    auto running = launch(spec, root, options);
    if (!running) {
        FAIL(running.error().describe());
    }
    auto report = running.value().report();
    CHECK(running.value().wait() == base::ExitStatus{});
    return report;
}

std::optional<base::Json> mount_at(const base::Json& report, const std::string& target) {
    std::optional<base::Json> found;
    for (const auto& mount : report.at("mounts")) {
        if (mount.at("target") == target) {
            found = mount;
        }
    }
    return found;
}

std::string own_namespace(const char* name) {
    const auto link = base::read_link_at(AT_FDCWD, std::string("/proc/self/ns/") + name);
    REQUIRE(link);
    return link.value();
}

std::string refusal(const base::Result<Running>& result) {
    REQUIRE_FALSE(result);
    return result.error().describe();
}

std::size_t child_count() {
    const auto text = base::read_file_at(AT_FDCWD, "/proc/thread-self/children");
    REQUIRE(text);
    return static_cast<std::size_t>(std::count(text.value().begin(), text.value().end(), ' '));
}

std::size_t open_fd_count() {
    const auto names = base::list_dir(AT_FDCWD, "/proc/self/fd");
    REQUIRE(names);
    return names.value().size();
}

}  // namespace warren::isolation::test
