#include "isolation/plan.hpp"

#include <functional>
#include <string>
#include <vector>

#include <linux/mount.h>
#include <sys/resource.h>

#include <doctest/doctest.h>

using namespace warren;
using namespace warren::isolation;

namespace {

MountSpec mount_of(const std::string& type, const std::string& target) {
    MountSpec mount;
    mount.fs_type = type;
    mount.target = target;
    return mount;
}

MountSpec bind(std::uint32_t slot, const std::string& target) {
    MountSpec mount;
    mount.kind = MountSpec::Kind::Bind;
    mount.slot = slot;
    mount.target = target;
    return mount;
}

// Every part of a plan at once.
GuestSpec full_guest() {
    GuestSpec spec;
    spec.hostname = "web1";
    spec.time_offsets = {{true, -5, 10}};
    spec.mounts = {mount_of("proc", "/proc"), mount_of("sysfs", "/sys"), bind(2, "/data")};
    spec.mounts[1].attributes = MOUNT_ATTR_RDONLY;
    spec.mounts[2].attributes = MOUNT_ATTR_NOSUID;
    spec.mounts[2].attributes_recursive = true;
    spec.mounts.push_back(mount_of("tmpfs", "/run"));
    spec.mounts[3].options = {{"mode", "755"}};
    spec.mounts[3].optional = true;
    spec.mounts.push_back(bind(3, "/etc/hosts"));
    spec.mounts[4].is_directory = false;
    spec.masked_paths = {"/proc/kcore"};
    spec.readonly_paths = {"/proc/sys"};
    spec.netlink_requests = {std::vector<std::byte>(32)};
    spec.machine = true;
    spec.process.argv = {"init", "--now"};
    spec.process.env = {"PATH=/sbin:bin::/bin/", "HOME=/root"};
    spec.process.capabilities = {0xff, 0x0f, 0x0f, 0, 0};
    spec.process.stdio = Stdio::Terminal;
    spec.process.console_device = true;
    return spec;
}

SeccompProgram filter() {
    return {{sock_filter{6, 0, 0, 0x7fff0000}}};
}

std::string golden(const base::Result<Recipe>& recipe) {
    if (!recipe) {
        FAIL(recipe.error().describe());
    }
    return recipe.value().describe();
}

struct GuestRefusal {
    const char* message;
    std::function<void(GuestSpec&)> spoil;
};

void check_guest_refusals(const std::vector<GuestRefusal>& refusals) {
    for (const auto& refusal : refusals) {
        INFO(refusal.message);
        GuestSpec spec = full_guest();
        refusal.spoil(spec);
        const auto recipe = plan_guest(spec, {});
        REQUIRE_FALSE(recipe);
        CHECK(recipe.error().kind() == base::ErrorKind::Usage);
        CHECK(recipe.error().describe() == refusal.message);
    }
}

// The lines from the one that starts with `from` on.
std::string tail(const std::string& text, const std::string& from) {
    const auto at = text.find('\n' + from);
    REQUIRE(at != std::string::npos);
    return text.substr(at + 1);
}

}  // namespace

TEST_CASE("a machine's recipe, whole") {
    const std::string expected = R"(set-non-dumpable
new-keyring
set-umask 0022
unshare-time "boottime -5 10\x0a"
unshare mount uts ipc net cgroup
private-propagation
setsid
set-hostname "web1"
netlink-request bytes=32
wait-ids
set-groups
set-gid 0
set-uid 0
open-file-system slot=130 type="proc" attributes=0x0
open-file-system slot=131 type="sysfs" attributes=0x1
open-file-system slot=132 type="tmpfs" attributes=0x0 "mode=755" optional
open-file-system slot=254 type="tmpfs" attributes=0xf "nr_inodes=1" "size=4096"
wait-release slots=4
attach-root slot=0 at "/"
pivot-root slot=0
make-target "/dev" directory no-symlinks
attach-mount slot=1 attributes=0x0
make-target "/proc" directory no-symlinks
attach-mount slot=130 attributes=0x0
make-target "/sys" directory no-symlinks
attach-mount slot=131 attributes=0x0
make-target "/data" directory
attach-mount slot=2 attributes=0x2 recursive
make-target "/run" directory optional
attach-mount slot=132 attributes=0x0 optional
make-target "/etc/hosts"
attach-mount slot=3 attributes=0x0
readonly-path "/proc/sys"
mask-path "/proc/kcore"
open-terminal rows=24 columns=80 owner=0
bind-console
take-stdio terminal
close-others
load-seccomp instructions=1
drop-bounding keep=0xff
set-groups
set-gid 0
set-uid 0
change-dir "/"
set-capabilities effective=0xf permitted=0xf inheritable=0x0
reset-signals
exec candidates: "/sbin/init" "/bin/init" argv: "init" "--now" env: PATH HOME
)";
    CHECK(golden(plan_guest(full_guest(), filter())) == expected);
}

TEST_CASE("an unprivileged command loads its filter last and keeps what it is given") {
    GuestSpec spec = full_guest();
    spec.readonly_root = true;
    auto& process = spec.process;
    process.argv = {"./run"};
    process.cwd = "/srv/app";
    process.uid = 1000;
    process.gid = 1001;
    process.additional_gids = {5, 27};
    process.umask = 077;
    process.capabilities = {0x400, 0x400, 0x400, 0x400, 0x400};
    process.rlimits = {{RLIMIT_NOFILE, 10, 20}};
    process.no_new_privs = true;
    process.stdio = Stdio::Given;
    process.console_device = false;
    const auto text = golden(plan_guest(spec, filter()));
    CHECK(text.find("make-target \"/srv/app\" directory optional\n") != std::string::npos);
    CHECK(tail(text, "take-stdio") == R"(take-stdio given
readonly-root
close-others
set-rlimit resource=7 soft=10 hard=20
set-umask 0077
drop-bounding keep=0x400
set-groups 5 27
set-gid 1001
keep-caps
set-uid 1000
change-dir "/srv/app"
set-capabilities effective=0x400 permitted=0x400 inheritable=0x400
raise-ambient 0x400 optional
no-new-privs
reset-signals
load-seccomp instructions=1
exec candidates: "./run" argv: "./run" env: PATH HOME
)");
}

TEST_CASE("what is not the guest's own is left alone") {
    GuestSpec spec = full_guest();
    spec.namespaces.remove(Namespace::User);
    spec.namespaces.remove(Namespace::Cgroup);
    spec.masked_paths.clear();
    const auto text = golden(plan_guest(spec, {}));
    for (const auto* absent : {"unshare mount uts ipc net cgroup",
                               "wait-ids",
                               "load-seccomp",
                               "slot=254",
                               "keep-caps"}) {
        INFO(absent);
        CHECK(text.find(absent) == std::string::npos);
    }
    // Only the process's own ids are set.
    CHECK(text.find("set-uid") == text.rfind("set-uid"));
}

TEST_CASE("a joined process's recipe, whole") {
    JoinSpec spec{NamespaceSet::all(), full_guest().process};
    spec.process.console_device = false;
    spec.process.env.clear();
    CHECK(golden(plan_join(spec, filter())) == R"(set-non-dumpable
wait-release slots=0
new-keyring
set-umask 0022
set-groups
set-gid 0
set-uid 0
setsid
open-terminal rows=24 columns=80 owner=0
take-stdio terminal
close-others
load-seccomp instructions=1
drop-bounding keep=0xff
set-groups
set-gid 0
set-uid 0
change-dir "/"
set-capabilities effective=0xf permitted=0xf inheritable=0x0
reset-signals
exec candidates: "/usr/local/sbin/init" "/usr/local/bin/init" "/usr/sbin/init" "/usr/bin/init" "/sbin/init" "/bin/init" argv: "init" "--now" env:
)");
}

TEST_CASE("every descriptor is closed before the working directory is looked up") {
    const auto text = golden(plan_guest(full_guest(), filter()));
    CHECK(text.find("\nclose-others\n") < text.find("\nchange-dir "));
}

TEST_CASE("walls that no recipe can build are refused with their place") {
    using Spec = GuestSpec;
    const std::string zero("a\0b", 3);
    check_guest_refusals({
        {"namespaces: a guest needs a mount namespace of its own",
         [](Spec& s) { s.namespaces.remove(Namespace::Mount); }},
        {"namespaces: a machine needs a pid namespace of its own",
         [](Spec& s) { s.namespaces.remove(Namespace::Pid); }},
        {"hostname: needs a uts namespace of the guest's own",
         [](Spec& s) { s.namespaces.remove(Namespace::Uts); }},
        {"network: needs a net namespace of the guest's own",
         [](Spec& s) { s.namespaces.remove(Namespace::Net); }},
        {"hostname: longer than 64 bytes", [](Spec& s) { s.hostname.assign(65, 'x'); }},
        {"hostname: contains a zero byte", [&](Spec& s) { s.hostname = zero; }},
        {"mounts[0]: not an absolute path: proc", [](Spec& s) { s.mounts[0].target = "proc"; }},
        {"mounts[0]: \"..\" in a path: /a/../b", [](Spec& s) { s.mounts[0].target = "/a/../b"; }},
        {"mounts[3]: cannot mount on the root itself", [](Spec& s) { s.mounts[3].target = "//."; }},
        {"mounts[2]: no such slot: 1", [](Spec& s) { s.mounts[2].slot = 1; }},
        {"mounts[2]: no such slot: 130", [](Spec& s) { s.mounts[2].slot = 130; }},
        {"mounts[4]: slot 2 used twice", [](Spec& s) { s.mounts[4].slot = 2; }},
        {"mounts[3]: contains a zero byte",
         [&](Spec& s) {
             s.mounts[3].options = {{"mode", zero}};
         }},
        {"mounts[124]: more than 122 file systems",
         [](Spec& s) { s.mounts.resize(400, mount_of("tmpfs", "/x")); }},
        {"masked paths[0]: not an absolute path: x", [](Spec& s) { s.masked_paths = {"x"}; }},
        {"readonly paths[1]: \"..\" in a path: /..",
         [](Spec& s) {
             s.readonly_paths = {"/", "/.."};
         }},
    });
}

TEST_CASE("a process that no recipe can start is refused with its place") {
    using Spec = GuestSpec;
    const std::string zero("a\0b", 3);
    check_guest_refusals({
        {"process: no program to run", [](Spec& s) { s.process.argv.clear(); }},
        {"process: no program to run", [](Spec& s) { s.process.argv = {""}; }},
        {"args[1]: contains a zero byte",
         [&](Spec& s) {
             s.process.argv = {"a", zero};
         }},
        {"env[0]: contains a zero byte", [&](Spec& s) { s.process.env = {zero}; }},
        {"cwd: not an absolute path: a", [](Spec& s) { s.process.cwd = "a"; }},
        {"rlimits[0]: no such resource: 16",
         [](Spec& s) {
             s.process.rlimits = {{16, 0, 0}};
         }},
        {"rlimits[0]: no such resource: -1",
         [](Spec& s) {
             s.process.rlimits = {{-1, 0, 0}};
         }},
        {"rlimits[0]: the soft limit is above the hard limit",
         [](Spec& s) {
             s.process.rlimits = {{0, 2, 1}};
         }},
        {"capabilities: effective ones that are not permitted",
         [](Spec& s) { s.process.capabilities.effective = 0x10; }},
        {"capabilities: ambient ones that are not permitted and inheritable",
         [](Spec& s) { s.process.capabilities.ambient = 1; }},
        {"process: /dev/console needs a terminal", [](Spec& s) { s.process.stdio = Stdio::Given; }},
    });
    SeccompProgram endless;
    endless.instructions.resize(4097);
    CHECK_FALSE(plan_guest(full_guest(), endless));
    const JoinSpec console{NamespaceSet::all(), full_guest().process};
    CHECK_FALSE(plan_join(console, {}));
}
