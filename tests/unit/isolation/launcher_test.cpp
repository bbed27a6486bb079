// Real launches: what a guest's first process sees.
#include "isolation/launcher.hpp"

#include <algorithm>
#include <csignal>

#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "guest_fixture.hpp"
#include "isolation/capabilities.hpp"
#include "isolation/mounts.hpp"
#include "isolation/seccomp.hpp"

using namespace warren;
using namespace warren::isolation;
using namespace warren::isolation::test;

namespace {

// RTM_NEWLINK that sets the link at `index` up.
std::vector<std::byte> link_up(int index) {
    struct {
        nlmsghdr header;
        ifinfomsg link;
    } request{};

    request.header.nlmsg_len = sizeof(request);
    request.header.nlmsg_type = RTM_NEWLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    request.link.ifi_index = index;
    request.link.ifi_flags = IFF_UP;
    request.link.ifi_change = IFF_UP;
    const auto* bytes = reinterpret_cast<const std::byte*>(&request);
    return {bytes, bytes + sizeof(request)};
}

// The report's mounts in the order of their targets: the kernel lists them in that of their making, and a child
// makes its own while its parent makes /dev and the root, so either may be first.
std::vector<std::string> mounts_by_target(const base::Json& report) {
    std::vector<std::string> lines;
    for (const auto& mount : report.at("mounts")) {
        lines.push_back(mount.at("target").get<std::string>() + " " +
                        mount.at("type").get<std::string>() +
                        (mount.at("propagates").get<bool>() ? " propagates" : ""));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

}  // namespace

TEST_CASE("a guest stands in namespaces of its own") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    const GuestSpec spec = guest_spec();
    const auto report = inspect(spec, root);

    CHECK(report.at("pid") == 1);
    CHECK(report.at("ppid") == 0);
    CHECK(report.at("sid") == 1);
    CHECK(report.at("hostname") == "guest1");
    CHECK(report.at("cwd") == "/");
    CHECK(report.at("umask") == 022);
    CHECK(report.at("cgroup").get<std::string>().find("0::/\n") != std::string::npos);
    for (const auto& entry : report.at("namespaces").items()) {
        const std::string& name = entry.key();
        const std::string value = entry.value();
        INFO(name);
        const bool missing = value.empty();
        const bool absent = name == "time" && !spec.namespaces.has(Namespace::Time);
        CHECK((missing == absent && (absent || value != own_namespace(name.c_str()))));
    }
    for (const auto& process : report.at("processes")) {
        const auto name = process.get<std::string>();
        CHECK((name.find_first_not_of("0123456789") != std::string::npos || name == "1"));
    }
}

TEST_CASE("a child in our memory and one in a copy of it build the same walls") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    GuestSpec spec = guest_spec();
    const auto shared = inspect(spec, root);
    spec.share_memory = false;
    const auto copied = inspect(spec, root);
    for (const auto* same : {"hostname", "ids", "rlimits", "umask", "cwd", "sid", "pid"}) {
        INFO(same);
        CHECK(shared.at(same) == copied.at(same));
    }
    for (const auto* same : {"CapPrm", "CapEff", "CapBnd", "SigIgn", "SigBlk", "Groups"}) {
        INFO(same);
        CHECK(shared.at("status").at(same) == copied.at("status").at(same));
    }
    CHECK(shared.at("fds").size() == copied.at("fds").size());
    CHECK(mounts_by_target(shared) == mounts_by_target(copied));
    for (const auto& entry : copied.at("namespaces").items()) {
        const std::string& name = entry.key();
        INFO(name);
        const bool absent = name == "time" && !spec.namespaces.has(Namespace::Time);
        CHECK((absent || entry.value() != own_namespace(name.c_str())));
    }
}

TEST_CASE("a guest's clocks are set before its program sees them") {
    GuestSpec spec = guest_spec({"cat", "/proc/self/timens_offsets"});
    if (!can_launch() || !spec.namespaces.has(Namespace::Time)) {
        return;
    }
    const TestRoot root;
    spec.time_offsets = {{false, 7000, 5}, {true, 9000, 6}};
    for (const bool shared : {true, false}) {
        INFO(shared);
        spec.share_memory = shared;
        const std::string text = inspect(spec, root).at("text");
        CHECK(text.find("7000") < text.find("9000"));
        CHECK(text.find("monotonic") < text.find("7000"));
        CHECK(text.find("boottime") < text.find("9000"));
        CHECK(text.find("9000") != std::string::npos);
    }
}

TEST_CASE("a guest's first process is the guest's root, and only inside") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    const GuestSpec spec = guest_spec();
    const auto report = inspect(spec, root);

    CHECK(report.at("ids").at("uid") == base::Json({0, 0, 0}));
    CHECK(report.at("ids").at("gid") == base::Json({0, 0, 0}));
    CHECK(report.at("ids").at("groups") == base::Json::array());
    const auto& status = report.at("status");
    const auto expected = spec.process.capabilities.permitted;
    CHECK(std::stoull(status.at("CapPrm").get<std::string>(), nullptr, 16) == expected);
    CHECK(std::stoull(status.at("CapEff").get<std::string>(), nullptr, 16) == expected);
    CHECK(std::stoull(status.at("CapBnd").get<std::string>(), nullptr, 16) == expected);
    CHECK(status.at("CapInh") == "0000000000000000");
    CHECK(status.at("CapAmb") == "0000000000000000");
    CHECK(status.at("NoNewPrivs") == "0");
    CHECK(status.at("SigBlk") == "0000000000000000");
    CHECK(status.at("SigIgn") == "0000000000000000");
    CHECK(status.at("SigCgt") == "0000000000000000");
}

TEST_CASE("no descriptor, mount or directory of the host is within the guest's reach") {
    if (!can_launch()) {
        return;
    }
    // Not close-on-exec, on purpose: even a careless host's descriptor must not get in.
    const base::Fd leak(::open("/etc", O_RDONLY | O_CLOEXEC));
    REQUIRE(::fcntl(leak.get(), F_SETFD, 0) == 0);
    const TestRoot root;
    const auto report = inspect(guest_spec(), root);

    CHECK(report.at("fds").size() == 3);
    for (const auto* name : {"0", "1", "2"}) {
        CHECK(report.at("fds").contains(name));
    }
    for (const auto& mount : report.at("mounts")) {
        INFO(mount.dump());
        CHECK(mount.at("propagates") == false);
        // All but the root are the guest's own instances; of the host's tree there is one directory.
        const bool root_itself = mount.at("target") == "/";
        CHECK(mount.at("root").get<std::string>().ends_with(root_itself ? root.path() : "/"));
    }
    std::vector<std::string> names = report.at("root");
    std::sort(names.begin(), names.end());
    CHECK(names == std::vector<std::string>{"bin", "dev", "proc", "run", "sys"});
}

TEST_CASE("the kernel's file systems are the guest's own") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    const auto report = inspect(guest_spec(), root);
    const std::pair<const char*, const char*> expected[] = {{"/proc", "proc"},
                                                            {"/sys", "sysfs"},
                                                            {"/dev", "tmpfs"},
                                                            {"/dev/pts", "devpts"},
                                                            {"/dev/shm", "tmpfs"},
                                                            {"/dev/mqueue", "mqueue"},
                                                            {"/sys/fs/cgroup", "cgroup2"}};
    for (const auto& entry : expected) {
        INFO(entry.first);
        const auto mount = mount_at(report, entry.first);
        REQUIRE(mount);
        CHECK(mount->at("type") == entry.second);
    }
    CHECK(mount_at(report, "/sys")->at("options").get<std::string>().starts_with("ro,"));
}

TEST_CASE("a process is who and where its configuration says") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    GuestSpec spec = guest_spec({"print", "with spaces"});
    auto& process = spec.process;
    process.uid = 1000;
    process.gid = 1001;
    process.additional_gids = {5, 27};
    process.cwd = "/srv/made/here";
    process.umask = 027;
    process.no_new_privs = true;
    process.rlimits = {{RLIMIT_NOFILE, 64, 128}, {RLIMIT_CORE, 0, 0}};
    process.oom_score_adj = 500;
    constexpr std::uint64_t kNetBind = 1U << 10;
    process.capabilities = {kNetBind, kNetBind, kNetBind, kNetBind, kNetBind};
    const auto report = inspect(spec, root);

    CHECK(report.at("ids").at("uid") == base::Json({1000, 1000, 1000}));
    CHECK(report.at("ids").at("gid") == base::Json({1001, 1001, 1001}));
    CHECK(report.at("ids").at("groups") == base::Json({5, 27}));
    CHECK(report.at("cwd") == "/srv/made/here");
    CHECK(report.at("umask") == 027);
    CHECK(report.at("argv") == base::Json({"inspect", "print", "with spaces"}));
    CHECK(report.at("env") == base::Json({"PATH=/nowhere:/bin", "COLOR=green"}));
    CHECK(report.at("rlimits").at(std::to_string(RLIMIT_NOFILE)) == base::Json({64, 128}));
    CHECK(report.at("rlimits").at(std::to_string(RLIMIT_CORE)) == base::Json({0, 0}));
    CHECK(report.at("oom_score_adj") == "500\n");
    const auto& status = report.at("status");
    CHECK(status.at("NoNewPrivs") == "1");
    for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
        INFO(set);
        CHECK(status.at(set) == "0000000000000400");
    }
}

TEST_CASE("a process without capabilities has none, whoever cloned it") {
    if (!can_launch()) {
        return;
    }
    for (const bool users : {true, false}) {
        CAPTURE(users);
        const TestRoot root(users ? kIdBase : 0);
        GuestSpec spec = guest_spec();
        if (!users) {
            spec.namespaces.remove(Namespace::User);
        }
        spec.process.uid = 1000;
        spec.process.capabilities = CapSets{};
        const auto report = inspect(spec, root);
        for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
            CHECK(report.at("status").at(set) == "0000000000000000");
        }
    }
}

TEST_CASE("a guest in the host's user namespace has the other walls") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    GuestSpec spec = guest_spec();
    spec.namespaces.remove(Namespace::User);
    spec.process.capabilities =
        process_capabilities(default_bounding(GuestKind::Command, true), true);
    const auto report = inspect(spec, root);
    CHECK(report.at("pid") == 1);
    CHECK(report.at("namespaces").at("user") == own_namespace("user"));
    CHECK(report.at("namespaces").at("mnt") != own_namespace("mnt"));
    const auto permitted =
        std::stoull(report.at("status").at("CapPrm").get<std::string>(), nullptr, 16);
    CHECK((permitted & ~spec.process.capabilities.permitted) == 0);
}

TEST_CASE("a guest's network is set up from inside by the requests it is given") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    GuestSpec spec = guest_spec();
    CHECK(inspect(spec, root).at("loopback") == false);
    spec.netlink_requests = {link_up(1)};
    CHECK(inspect(spec, root).at("loopback") == true);
    spec.netlink_requests.push_back(link_up(4711));
    const auto running = launch(spec, root);
    REQUIRE_FALSE(running);
    CHECK(running.error().describe() == "network[1]: set up: No such device");
}

TEST_CASE("a guest has a session keyring of its own") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    const long own = ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
    if (own < 0 && errno == ENOSYS) {
        MESSAGE("skipped: this kernel has no keyrings");
        return;
    }
    const long guests = inspect(guest_spec(), root).at("keyring");
    CHECK(guests > 0);
    CHECK(guests != own);
}

TEST_CASE("signals the caller ignores are the default's in the guest") {
    if (!can_launch()) {
        return;
    }

    struct sigaction ignore {};

    struct sigaction before {};

    ignore.sa_handler = SIG_IGN;
    REQUIRE(::sigaction(SIGUSR2, &ignore, &before) == 0);
    const TestRoot root;
    const auto report = inspect(guest_spec(), root);
    REQUIRE(::sigaction(SIGUSR2, &before, nullptr) == 0);
    CHECK(report.at("status").at("SigIgn") == "0000000000000000");
}

TEST_CASE("masked paths are empty, read-only paths stay so, absent ones do not matter") {
    if (!can_launch()) {
        return;
    }
    TestRoot root;
    root.make_dir("secret");
    root.make_file("secret/key", "k");
    root.make_dir("other");
    root.make_file("other/key", "k");
    root.make_file("plain", "text");
    root.make_dir("fixed");
    GuestSpec spec = guest_spec({"cat", "/secret/key"});
    spec.masked_paths = {"/absent/path", "/secret", "/other", "/plain"};
    spec.readonly_paths = {"/fixed", "/proc/sys", "/nowhere"};
    CHECK(inspect(spec, root).at("errno") == ENOENT);
    spec.process.argv = {"inspect", "cat", "/other/key"};
    CHECK(inspect(spec, root).at("errno") == ENOENT);
    spec.process.argv = {"inspect", "cat", "/plain"};
    const auto masked = inspect(spec, root);
    CHECK(masked.at("errno") == 0);
    CHECK(masked.at("text") == "");
    spec.process.argv = {"inspect", "write", "/fixed/new", "x"};
    CHECK(inspect(spec, root).at("errno") == EROFS);
    spec.process.argv = {"inspect", "write", "/secret/new", "x"};
    CHECK(inspect(spec, root).at("errno") == EROFS);
    spec.process.argv = {"inspect", "write", "/proc/sys/net/ipv4/ip_forward", "1"};
    CHECK(inspect(spec, root).at("errno") == EROFS);
}

TEST_CASE("a read-only root is read-only, what is mounted in it is not") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    GuestSpec spec = guest_spec({"write", "/new", "x"});
    spec.readonly_root = true;
    CHECK(inspect(spec, root).at("errno") == EROFS);
    spec.process.argv = {"inspect", "write", "/dev/shm/new", "x"};
    CHECK(inspect(spec, root).at("errno") == 0);
}

TEST_CASE("binds land on directories and files, existing or not") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    TestRoot volume;
    volume.make_file("data", "from the volume");
    GuestSpec spec = guest_spec({"cat", "/mnt/a/b/data"});
    MountSpec bind;
    bind.kind = MountSpec::Kind::Bind;
    bind.slot = kFirstBindSlot;
    bind.target = "/mnt/a/b";
    spec.mounts.push_back(bind);
    const auto mount = volume.mount();
    CHECK(inspect(spec, root, {.binds = {mount.get()}}).at("text") == "from the volume");

    const OutsideDir source;
    const std::string path = source.path() + "/file";
    REQUIRE(base::replace_file_at(AT_FDCWD, path, "one file", 0644, base::Durability::Volatile));
    const auto file = open_bind_source(path, true, false, -1);
    REQUIRE(file);
    spec.mounts.back().target = "/new/file";
    spec.mounts.back().is_directory = false;
    spec.process.argv = {"inspect", "cat", "/new/file"};
    CHECK(inspect(spec, root, {.binds = {file.value().get()}}).at("text") == "one file");
    CHECK(root.has("new/file"));
    REQUIRE(::unlink(path.c_str()) == 0);
}

TEST_CASE("the house's filters let the recipe pass") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    for (const auto profile : {SeccompProfile::Machine, SeccompProfile::Command}) {
        for (const bool no_new_privs : {false, true}) {
            CAPTURE(no_new_privs);
            const auto program = compile_seccomp({profile, false, ""});
            REQUIRE(program);
            GuestSpec spec = guest_spec();
            spec.process.no_new_privs = no_new_privs;
            const auto report = inspect(spec, root, {.filter = program.value()});
            CHECK(report.at("status").at("Seccomp") == "2");
        }
    }
}

TEST_CASE("a terminal is the guest's own, and its master comes back") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    GuestSpec spec = guest_spec({"hold"});
    spec.process.stdio = Stdio::Terminal;
    spec.process.window = {50, 132};
    spec.process.console_device = true;
    spec.process.uid = 1000;
    spec.process.capabilities = CapSets{};
    auto running = launch(spec, root);
    if (!running) {
        FAIL(running.error().describe());
    }
    const auto report = running.value().report();
    const auto& terminal = report.at("terminal");
    CHECK(terminal.at("is") == true);
    CHECK(terminal.at("controlling") == true);
    CHECK(terminal.at("rows") == 50);
    CHECK(terminal.at("columns") == 132);
    CHECK(terminal.at("uid") == 1000);
    CHECK(terminal.at("name") == "/dev/pts/0");
    CHECK(report.at("fds").size() == 3);
    const auto console = mount_at(report, "/dev/console");
    REQUIRE(console);
    CHECK(console->at("type") == "devpts");
    running.value().signal(SIGTERM);
    CHECK(running.value().wait() == base::ExitStatus{});
}
