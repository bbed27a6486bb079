// The recipe of a container: the order of things, and what is refused.
#include <functional>
#include <string>
#include <vector>

#include <linux/mount.h>

#include <doctest/doctest.h>

#include "isolation/container.hpp"

using namespace warren;
using namespace warren::isolation;

namespace {

ContainerMount file_system(const std::string& type, const std::string& target) {
    ContainerMount mount;
    mount.fs_type = type;
    mount.target = target;
    return mount;
}

ContainerSpec small_spec() {
    ContainerSpec spec;
    spec.namespaces.fresh = NamespaceSet::all();
    spec.namespaces.fresh.remove(Namespace::User);
    spec.hostname = "box";
    spec.root.path = "/var/bundle/root";
    spec.mounts = {file_system("proc", "/proc"), file_system("tmpfs", "/tmp")};
    spec.mounts[0].attributes.set = MOUNT_ATTR_NOSUID;
    spec.mounts[1].attributes.set = MOUNT_ATTR_NODEV;
    spec.start_socket_slot = 1;
    spec.process.argv = {"/bin/sh"};
    spec.process.env = {"PATH=/bin", "SECRET=x"};
    return spec;
}

std::string plan(const ContainerSpec& spec, const SeccompProgram& filter = {}) {
    const auto recipe = plan_container(spec, filter);
    return recipe ? recipe.value().describe() : recipe.error().describe();
}

SeccompProgram one_line_filter() {
    SeccompProgram filter;
    filter.instructions = {BPF_STMT(BPF_RET | BPF_K, 0x7fff0000)};
    filter.filter_flags = 3;
    return filter;
}

ContainerSpec full_spec() {
    ContainerSpec spec = small_spec();
    spec.namespaces.fresh.add(Namespace::User);
    spec.namespaces.fresh.remove(Namespace::Ipc);
    spec.id_map.uids = {{5, 100'000, 10}};
    spec.id_map.gids = {{0, 100'000, 10}};
    spec.rootless = true;
    spec.setgroups_denied = true;
    spec.time_offsets = {{true, -5, 6}};
    spec.domainname = "d";
    spec.sysctls = {{"net.ipv4.conf.eth0/1.forwarding", "1"}};
    spec.root.source = MountSource::HostPath;
    spec.root.readonly = true;
    spec.root.propagation = Propagation{Propagation::Kind::Slave, true};
    ContainerMount bind;
    bind.source = MountSource::HostPath;
    bind.host_path = "/srv";
    bind.target = "/srv";
    bind.optional = true;
    bind.below.set = MOUNT_ATTR_RDONLY;
    bind.attributes.clear = MOUNT_ATTR_NOATIME;
    bind.propagation = {{Propagation::Kind::Slave, true}};
    ContainerMount slot;
    slot.source = MountSource::Slot;
    slot.slot = 4;
    slot.target = "/etc/hosts";
    slot.is_directory = false;
    spec.mounts.insert(spec.mounts.end(), {bind, slot});
    spec.mounts[1].copy_up = true;
    spec.devices.resize(2);
    spec.devices[0].path = "/dev/fuse";
    spec.devices[0].major = 10;
    spec.devices[0].minor = 229;
    spec.devices[1].source = ContainerDevice::Source::HostPath;
    spec.devices[1].path = spec.devices[1].host_path = "/dev/null";
    spec.links = {{"/dev/ptmx", "pts/ptmx", true}};
    spec.masked_paths = {"/proc/kcore"};
    spec.readonly_paths = {"/proc/sys"};
    spec.create_state_slot = 2;
    spec.start_state_slot = 3;
    spec.create_container_hooks = {{"hooks.createContainer[0]", "/usr/bin/hook", {}, {}, 2}};
    spec.start_container_hooks = {
        {"hooks.startContainer[0]", "/hook", {"hook", "x"}, {"A=b"}, std::nullopt}};
    auto& process = spec.process;
    process.stdio = Stdio::Terminal;
    process.console_device = true;
    process.uid = 7;
    process.cwd = "/srv/x";
    process.umask = 077;
    process.no_new_privs = true;
    process.personality = 8;
    process.apparmor_profile = "profile";
    process.selinux_label = "label";
    process.preserve_fds = 3;
    process.listen_fds = 1;
    process.capabilities.bounding = process.capabilities.permitted = 1;
    return spec;
}

constexpr const char* kEverything = R"(wait-release slots=5
unshare-time "boottime -5 6\x0a"
set-non-dumpable
open-label "self/attr/apparmor/exec" slot=266
open-label "self/attr/exec" slot=267
write-proc "self/attr/keycreate" "label" optional
new-keyring
set-umask 0022
set-propagation root type=0x80000 recursive
clone-host-tree "/srv" slot=133 recursive optional
clone-host-tree "/dev/null" slot=134
clone-host-tree "/var/bundle/root" slot=130 recursive
attach-root slot=130 at "/var/bundle/root"
set-gid 0
set-uid 5
setsid
unshare cgroup
set-hostname "box"
set-domainname "d"
write-proc "sys/net/ipv4/conf/eth0.1/forwarding" "1"
open-file-system slot=131 type="proc" attributes=0x2
open-file-system slot=132 type="tmpfs" attributes=0x0
open-file-system slot=254 type="tmpfs" attributes=0xf "nr_inodes=1" "size=4096"
enter-root slot=130
make-target "/proc" directory no-symlinks
place-mount slot=131
make-target "/tmp" directory
inherit-mode slot=132
copy-up slot=132
change-mount set=0x4 clear=0x0 slot=132
place-mount slot=132
make-target "/srv" directory optional
change-mount set=0x1 clear=0x0 slot=133 recursive optional
change-mount set=0x0 clear=0x70 slot=133 optional
set-propagation slot=133 type=0x80000 recursive optional
place-mount slot=133 optional
make-target "/etc/hosts"
set-propagation slot=4 type=0x40000 recursive
place-mount slot=4
make-target "/dev/" directory
make-node "fuse" type=0x2000 mode=0666 device=10:229 owner=0:0
make-target "/dev/null"
set-propagation slot=134 type=0x40000
place-mount slot=134
make-target "/dev/" directory
make-link "ptmx" to "pts/ptmx" replace
leave-root slot=130
run-hook "/usr/bin/hook" argv: "/usr/bin/hook" env: timeout-ms=2000 slot=2
pivot-root slot=130
make-target "/srv/x" directory optional
readonly-path "/proc/sys"
mask-path "/proc/kcore"
open-terminal rows=24 columns=80 owner=7
make-target "/dev/console" no-symlinks
bind-console
take-stdio terminal
readonly-root
set-propagation root type=0x80000 recursive
reset-signals
close-all-but from=6 slot=1 slot=3 slot=266 slot=267
report-created
wait-start slot=1
run-hook "/hook" argv: "hook" "x" env: A timeout-ms=-1 slot=3
set-umask 0077
set-personality 0x8
preserve-fds 3
set-listen-pid
write-label "exec profile" slot=266
write-label "label" slot=267
try-change-dir "/srv/x"
drop-bounding keep=0x1
set-gid 0
keep-caps
set-uid 7
retry-change-dir "/srv/x"
set-capabilities effective=0x0 permitted=0x1 inheritable=0x0
no-new-privs
load-seccomp instructions=1 flags=0x2
exec candidates: "/bin/sh" argv: "/bin/sh" env: PATH SECRET LISTEN_FDS LISTEN_PID
)";

struct Refusal {
    const char* message;
    std::function<void(ContainerSpec&)> spoil;
};

void check_refusals(const std::vector<Refusal>& refusals) {
    for (const auto& refusal : refusals) {
        ContainerSpec spec = small_spec();
        refusal.spoil(spec);
        CHECK(plan(spec) == refusal.message);
    }
}

}  // namespace

TEST_CASE("a container's recipe, in order") {
    CHECK(plan(small_spec(), one_line_filter()) == R"(set-non-dumpable
wait-release slots=2
new-keyring
set-umask 0022
private-propagation
attach-root slot=0 at "/"
setsid
unshare cgroup
set-hostname "box"
open-file-system slot=130 type="proc" attributes=0x2
open-file-system slot=131 type="tmpfs" attributes=0x0
pivot-root slot=0
make-target "/proc" directory no-symlinks
place-mount slot=130
make-target "/tmp" directory
inherit-mode slot=131
change-mount set=0x4 clear=0x0 slot=131
place-mount slot=131
take-stdio given
own-null
reset-signals
close-all-but from=3 slot=1
report-created
wait-start slot=1
try-change-dir "/"
load-seccomp instructions=1 flags=0x2
drop-bounding keep=0x0
set-groups
set-gid 0
set-uid 0
retry-change-dir "/"
set-capabilities effective=0x0 permitted=0x0 inheritable=0x0
exec candidates: "/bin/sh" argv: "/bin/sh" env: PATH SECRET
)");
}

TEST_CASE("a recipe with everything in it") {
    CHECK(plan(full_spec(), one_line_filter()) == kEverything);
}

TEST_CASE("a network namespace that nobody looks at is made beside the parent") {
    ContainerSpec spec = small_spec();
    spec.late_network = true;
    CHECK(plan(spec).find("set-non-dumpable\nunshare network\nwait-release") == 0);
    spec.namespaces.fresh.remove(Namespace::Net);
    CHECK(plan(spec) == "late network: needs a fresh network namespace, and no joiner");
}

TEST_CASE("a mount that is changed later stays at hand") {
    ContainerSpec spec = small_spec();
    ContainerMount change;
    change.source = MountSource::Remount;
    change.target = "/tmp";
    change.of = 1;
    change.options = {{"size", "1m"}, {"lazytime", ""}};
    change.attributes = {MOUNT_ATTR_RDONLY, MOUNT_ATTR_NODEV};
    change.below.set = MOUNT_ATTR_NOEXEC;
    change.propagation = {{Propagation::Kind::Shared, true}};
    spec.mounts.push_back(change);
    CHECK(plan(spec).find(R"(place-mount slot=131 keep
reconfigure "size=1m" "lazytime" slot=131
change-mount set=0x8 clear=0x0 slot=131 recursive
change-mount set=0x1 clear=0x4 slot=131
set-propagation slot=131 type=0x100000 recursive
take-stdio)") != std::string::npos);
    spec.mounts[1].no_follow = true;
    CHECK(plan(spec).find("make-target \"/tmp\" directory no-follow\n") != std::string::npos);
    spec.mounts.back().options[0].second.assign(256, 'x');
    CHECK(plan(spec) == "mounts[2]: option size of more than 255 bytes");
    spec.mounts.back().of = 2;
    CHECK(plan(spec) == "mounts[2]: no mount to change");
}

TEST_CASE("only what would be listed too early is renewed") {
    ContainerSpec spec = full_spec();
    spec.mounts_listed_in_order = true;
    const std::string hooked = plan(spec, one_line_filter());
    const auto at = hooked.find(
        "attributes=0x0\nrenew-mount slot=133 directory tidy optional\nrenew-mount slot=4 tidy\n");
    CHECK(at != std::string::npos);
    spec.create_container_hooks.clear();
    CHECK(plan(spec, one_line_filter()).find("renew-mount slot=4\n") != std::string::npos);
    std::swap(spec.mounts.front(), spec.mounts.back());
    CHECK(plan(spec, one_line_filter()).find("renew-mount slot=4") == std::string::npos);
    spec.root.no_pivot = true;
    CHECK(plan(spec, one_line_filter()).find("renew-mount") == std::string::npos);
}

TEST_CASE("what is joined is entered by the child, unless a joiner did") {
    ContainerSpec spec = small_spec();
    spec.namespaces.fresh.remove(Namespace::Net);
    spec.namespaces.fresh.remove(Namespace::Mount);
    spec.namespaces.joined = {{Namespace::Mount, 10}, {Namespace::Net, 11}};
    CHECK_FALSE(spec.namespaces.need_joiner());
    const std::string direct = plan(spec);
    const auto net = direct.find("enter-namespace net slot=260\n");
    const auto mount = direct.find("enter-namespace mount slot=256\n");
    CHECK(net < mount);
    CHECK(mount < direct.find("attach-root slot=0 at \"/var/bundle/root\"\n"));
    CHECK(direct.find("private-propagation") == std::string::npos);
    CHECK(direct.find("pivot-root") == std::string::npos);
    CHECK(direct.find("enter-root slot=0\n") != std::string::npos);

    spec.namespaces.fresh.remove(Namespace::Pid);
    spec.namespaces.joined.push_back({Namespace::Pid, 12});
    CHECK(spec.namespaces.need_joiner());
    CHECK(plan(spec).find("enter-namespace") == std::string::npos);
}

TEST_CASE("namespaces, names and a root that no recipe can build are refused") {
    check_refusals({
        {"namespaces: one type twice",
         [](auto& s) {
             s.namespaces.joined = {{Namespace::Net, 5}};
         }},
        {"namespaces: one to join is not open",
         [](auto& s) {
             s.namespaces.fresh.remove(Namespace::Net);
             s.namespaces.joined = {{Namespace::Net, -1}};
         }},
        {"hostname: needs a uts namespace",
         [](auto& s) { s.namespaces.fresh.remove(Namespace::Uts); }},
        {"domainname: longer than 64 bytes", [](auto& s) { s.domainname.assign(65, 'x'); }},
        {"time offsets: need a fresh time namespace",
         [](auto& s) {
             s.namespaces.fresh.remove(Namespace::Time);
             s.time_offsets = {{}};
         }},
        {"start socket: no such slot: 130", [](auto& s) { s.start_socket_slot = 130; }},
        {"root: slot 1 used twice", [](auto& s) { s.root.slot = 1; }},
        {"root: not an absolute path: x",
         [](auto& s) {
             s.root.source = MountSource::HostPath;
             s.root.path = "x";
         }},
        {"root: not a file system of its own",
         [](auto& s) { s.root.source = MountSource::FileSystem; }},
    });
}

TEST_CASE("mounts and nodes that no recipe can make are refused with their place") {
    check_refusals({
        {"mounts[0]: \"..\" in a path: /a/../b", [](auto& s) { s.mounts[0].target = "/a/../b"; }},
        {"mounts[1]: cannot mount on the root itself", [](auto& s) { s.mounts[1].target = "/."; }},
        {"mounts[0]: only a tmpfs can start with a copy",
         [](auto& s) { s.mounts[0].copy_up = true; }},
        {"mounts[1]: slot 0 used twice", [](auto& s) { s.mounts[1].source = MountSource::Slot; }},
        {"mounts[1]: options of more than 4096 bytes",
         [](auto& s) {
             s.mounts[1].options = {{"x", std::string(4096, 'x')}};
         }},
        {"mounts[122]: more than 122 mounts of the container's own making",
         [](auto& s) { s.mounts.resize(200, file_system("tmpfs", "/x")); }},
        {"devices[0]: not a path of a node: /",
         [](auto& s) {
             s.devices.resize(1);
             s.devices[0].path = "/";
         }},
        {"links[0]: not an absolute path: x",
         [](auto& s) {
             s.links = {{"x", "y", false}};
         }},
    });
}

TEST_CASE("hooks and processes that no recipe can run are refused") {
    check_refusals({
        {"hooks.x[0]: no state to read",
         [](auto& s) {
             s.start_container_hooks = {{"hooks.x[0]", "/x", {}, {}, std::nullopt}};
         }},
        {"hooks.x[0]: not an absolute path: x",
         [](auto& s) {
             s.start_state_slot = 2;
             s.start_container_hooks = {{"hooks.x[0]", "x", {}, {}, std::nullopt}};
         }},
        {"hooks.x[0]: a timeout of more than 2147483 seconds",
         [](auto& s) {
             s.create_state_slot = 2;
             s.create_container_hooks = {{"hooks.x[0]", "/x", {}, {}, 2147484}};
         }},
        {"CPU affinity: no such CPU: 8192", [](auto& s) { s.process.final_cpus = {8192}; }},
        {"process: descriptors to preserve: 0, to listen on: 1",
         [](auto& s) { s.process.listen_fds = 1; }},
        {"scheduler: SCHED_DEADLINE excludes hooks of the container: such a process may not clone",
         [](auto& s) {
             s.process.scheduler = SchedulerSpec{.policy = 6};
             s.create_state_slot = 2;
             s.create_container_hooks = {{"hooks.x[0]", "/x", {}, {}, 1}};
         }},
    });
}

TEST_CASE("a process that joins a container") {
    ContainerJoin spec;
    spec.namespaces.add(Namespace::User);
    spec.root_slot = 0;
    spec.process.argv = {"ls"};
    spec.process.env = {"PATH=/bin"};
    spec.process.additional_gids = {3};
    const auto recipe = plan_container_join(spec, {});
    REQUIRE(recipe);
    CHECK(recipe.value().describe() == R"(set-non-dumpable
wait-release slots=1
new-keyring
set-umask 0022
set-groups
set-gid 0
set-uid 0
enter-root slot=0
setsid
take-stdio given
reset-signals
close-all-but from=3
try-change-dir "/"
drop-bounding keep=0x0
set-groups 3
set-gid 0
set-uid 0
retry-change-dir "/"
set-capabilities effective=0x0 permitted=0x0 inheritable=0x0
exec candidates: "/bin/ls" argv: "ls" env: PATH
)");
    spec.process.console_device = true;
    spec.process.stdio = Stdio::Terminal;
    CHECK(plan_container_join(spec, {}).error().describe() ==
          "process: /dev/console belongs to the container's first process");
}
