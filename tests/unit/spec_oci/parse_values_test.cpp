// A document with every member of the specification, and what is read from it.
#include <linux/mempolicy.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "isolation/capabilities.hpp"
#include "tests/unit/spec_oci/support.hpp"

using namespace warren::spec::oci;
using namespace warren::spec::oci::test;
using warren::isolation::Namespace;
using warren::isolation::Rlimit;
namespace cgroups = warren::cgroups;
namespace isolation = warren::isolation;

namespace {

Config full() {
    return parse_config(document("full.json")).value();
}

std::uint64_t capability(const char* name) {
    return isolation::parse_capability(name).value();
}

}  // namespace

TEST_CASE("the process is read") {
    const auto config = full();
    REQUIRE(config.process);
    const Process& process = *config.process;
    CHECK(process.terminal);
    CHECK(process.console_size == isolation::WindowSize{40, 132});
    CHECK(process.user == User{10, 10, 022, {5}});
    CHECK(process.args == std::vector<std::string>{"/runtimetest", "--path=/"});
    CHECK(process.env.back() == "TERM=xterm");
    CHECK(process.cwd == "/test");
    REQUIRE(process.capabilities);
    CHECK(process.capabilities->sets.bounding ==
          (capability("CAP_SYS_ADMIN") | capability("CAP_NET_RAW")));
    CHECK(process.capabilities->sets.effective == capability("CAP_SYS_ADMIN"));
    CHECK(process.capabilities->sets.permitted == capability("CAP_SYS_ADMIN"));
    CHECK(process.capabilities->sets.inheritable == capability("CAP_NET_RAW"));
    CHECK(process.capabilities->sets.ambient == capability("CAP_NET_RAW"));
    CHECK(process.capabilities->unknown.empty());
    CHECK(process.rlimits ==
          std::vector<Rlimit>{{RLIMIT_NOFILE, 1024, 1024},
                              {RLIMIT_AS, 9223372036854775807U, RLIM64_INFINITY}});
    CHECK(process.no_new_privileges);
    CHECK(process.apparmor_profile == "acme");
    CHECK(process.selinux_label == "system_u:system_r:svirt_lxc_net_t:s0:c124,c675");
    CHECK(process.oom_score_adj == 500);
    CHECK(process.scheduler == Scheduler{6, -5, 0, 3, 10'000'000, 20'000'000, 20'000'000});
    REQUIRE(process.io_priority);
    CHECK(*process.io_priority == IoPriority{2, 4});
    CHECK(process.io_priority->value() == 0x4004);
    CHECK(process.exec_cpu_affinity == ExecCpuAffinity{{7}, {0, 1, 2, 3, 7}});
}

TEST_CASE("root, names, mounts, hooks and annotations are read") {
    const auto config = full();
    CHECK(config.oci_version == "1.2.1");
    CHECK(config.root == Root{"rootfs", true});
    CHECK(config.hostname == "mrsdalloway");
    CHECK(config.domainname == "example.org");
    REQUIRE(config.mounts.size() == 5);
    CHECK(config.mounts[0].destination == "/proc");  // "proc" in the file
    CHECK(config.mounts[0].type == "proc");
    CHECK(config.mounts[1].options.tmpcopyup);
    CHECK(config.mounts[1].option_words.front() == "nosuid");
    CHECK(config.mounts[2].options.bind);
    CHECK(config.mounts[2].destination == config.mounts[1].destination);
    const Mount& bind = config.mounts[4];
    CHECK(bind.source == "../x");
    CHECK(bind.options.recursive_bind);
    CHECK(bind.options.attributes == AttributeChange{MOUNT_ATTR_RDONLY, 0});
    CHECK(bind.options.recursive == AttributeChange{MOUNT_ATTR_NOSUID, 0});
    CHECK(bind.options.id_map == MountIdMap::Recursive);
    CHECK(bind.ids == isolation::IdMap{{{0, 1000, 1}}, {{0, 1000, 1}}});
    CHECK(config.hooks.prestart ==
          std::vector<Hook>{{"/bin/sh", {"sh", "-c", "cat > /tmp/o"}, {"K=v"}, 5}});
    CHECK(config.hooks.create_runtime == std::vector<Hook>{{"/bin/true", {}, {}, {}}});
    CHECK(config.hooks.create_container.size() == 1);
    CHECK(config.hooks.start_container.size() == 1);
    CHECK(config.hooks.poststart.front().timeout == 1);
    CHECK(config.hooks.poststop == std::vector<Hook>{{"/bin/true", {}, {"A=b"}, {}}});
    CHECK(config.annotations ==
          std::map<std::string, std::string>{{"com.example.key", "value"}, {"a/b~c", ""}});
    CHECK_FALSE(config.wants_vm);
}

TEST_CASE("the Linux section is read") {
    const auto config = full();
    const Linux& linux = config.linux;
    CHECK(linux.namespaces.size() == 8);
    CHECK(linux.is_new(Namespace::Mount));
    CHECK_FALSE(linux.is_joined(Namespace::Mount));
    CHECK(linux.is_joined(Namespace::Cgroup));
    CHECK_FALSE(linux.is_new(Namespace::Cgroup));
    CHECK(linux.find(Namespace::Cgroup)->path == "/proc/1/ns/cgroup");
    CHECK(linux.ids == isolation::IdMap{{{0, 0, 1000}}, {{0, 0, 1000}}});
    CHECK(linux.monotonic == TimeOffset{-5, 10});
    CHECK(linux.boottime == TimeOffset{100, 0});
    CHECK(linux.devices ==
          std::vector<Device>{{Device::Type::Char, "/dev/test1", 10, 666, 0660, 0, 0},
                              {Device::Type::Block, "/dev/test2", 8, 666, 0660, 0, 0},
                              {Device::Type::Fifo, "/dev/test3", 0, 0, 0660, 0, 0},
                              {Device::Type::Char, "/dev/test4", 1, 3, 0666, 0, 0}});
    CHECK(linux.net_devices == std::vector<NetDevice>{{"eth0", "net0"}, {"ens4", "ens4"}});
    CHECK(linux.cgroups_path == "/runtime-tools/t1");
    CHECK(linux.intel_rdt == IntelRdt{"guaranteed",
                                      "L3:0=7f0;1=1f",
                                      "MB:0=20;1=70",
                                      {"L3:0=f", "MB:0=20"},
                                      true,
                                      true,
                                      true});
    CHECK(linux.memory_policy == MemoryPolicy{MPOL_INTERLEAVE, MPOL_F_STATIC_NODES, {0, 1, 3}});
    CHECK(linux.sysctl.at("kernel/shmmax") == "65536");
    CHECK(linux.rootfs_propagation == Propagation{PropagationKind::Unbindable, false});
    CHECK(linux.masked_paths == std::vector<std::string>{"/masktest"});
    CHECK(linux.readonly_paths == std::vector<std::string>{"/readonlytest"});
    CHECK(linux.mount_label == "system_u:object_r:svirt_sandbox_file_t:s0:c715,c811");
    CHECK(linux.personality == Personality{PER_LINUX32});
}

TEST_CASE("seccomp is read, and the whole of it kept") {
    const auto config = full();
    REQUIRE(config.linux.seccomp);
    const Seccomp& seccomp = *config.linux.seccomp;
    CHECK(seccomp.flags == (SECCOMP_FILTER_FLAG_LOG | 1U << 5));
    CHECK(seccomp.listener_path == "/run/agent.sock");
    CHECK(seccomp.listener_metadata == "m");
    CHECK(seccomp.notifies);
    CHECK(Json::parse(seccomp.profile) == json_document("full.json")["linux"]["seccomp"]);
    const auto docker = parse_config(document("docker.json")).value();
    CHECK_FALSE(docker.linux.seccomp->notifies);
}

TEST_CASE("resources are read") {
    const auto config = full();
    REQUIRE(config.linux.resources);
    const cgroups::Resources& out = *config.linux.resources;
    CHECK(out == parse_resources(document("resources.json")).value());
    REQUIRE(out.devices.size() == 2);
    CHECK(out.devices[0] == cgroups::DeviceRule{true, 'b', 8, 3, true, true, false});
    CHECK(out.devices[1] == cgroups::DeviceRule{true, 'a', {}, {}, false, false, true});
    constexpr std::int64_t kBytes = 50593792;
    CHECK(out.memory ==
          cgroups::MemoryResources{kBytes, kBytes, kBytes, kBytes, kBytes, 50, true, true, true});
    CHECK(out.cpu == cgroups::CpuResources{1024, 100'000, 1000, 50'000, 0, 1'000'000, "0", "0", 0});
    CHECK(out.pids_limit == 1000);
    CHECK(out.block_io.weight == 500);
    CHECK(out.block_io.leaf_weight == 300);
    CHECK(out.block_io.weight_device == std::vector<cgroups::WeightDevice>{{8, 0, 500, 300}});
    CHECK(out.block_io.throttle_read_bps == std::vector<cgroups::ThrottleDevice>{{8, 0, 102400}});
    CHECK(out.block_io.throttle_write_bps == std::vector<cgroups::ThrottleDevice>{{8, 0, 102400}});
    CHECK(out.block_io.throttle_read_iops == std::vector<cgroups::ThrottleDevice>{{8, 0, 64}});
    CHECK(out.block_io.throttle_write_iops == std::vector<cgroups::ThrottleDevice>{{8, 0, 64}});
    CHECK(out.hugepage_limits ==
          std::vector<cgroups::HugepageLimit>{{"2MB", 9223372036854772000U}});
    CHECK(out.rdma ==
          std::map<std::string, cgroups::RdmaLimit>{{"mlx5_1", {3, 10000}}, {"rxe3", {{}, 10000}}});
    CHECK(out.network.class_id == 255);
    CHECK(out.network.priorities == std::vector<cgroups::NetworkPriority>{{"lo", 500}});
    CHECK(out.unified.at("io.max") == "259:0 rbps=2097152 wiops=120\n253:0 rbps=2097152");
}

TEST_CASE("a process alone is the config's process") {
    CHECK(parse_process(document("process.json")).value() == *full().process);
}

TEST_CASE("what a document leaves out is unset") {
    const auto config = parse_config(R"({"ociVersion": "1.0.0"})").value();
    Config unset;
    unset.oci_version = "1.0.0";
    CHECK(config == unset);
    CHECK(parse_process("{}").value() == Process{});
    CHECK(parse_resources("{}").value() == cgroups::Resources{});
}

TEST_CASE("null and empty objects are unset") {
    Config unset;
    unset.oci_version = "1.0.0";
    const auto document = [](const std::string& members) {
        return parse_config(R"({"ociVersion": "1.0.0", )" + members + "}").value();
    };
    CHECK(document(R"("process": null, "root": null, "mounts": null, "hooks": null,
                      "hostname": null, "annotations": null, "linux": null, "vm": {})") == unset);
    CHECK(document(R"("process": {}, "root": {}, "mounts": [], "hooks": {}, "annotations": {},
                      "linux": {"resources": {}, "seccomp": {}, "intelRdt": {}, "personality": {},
                                "memoryPolicy": {}, "timeOffsets": {}, "rootfsPropagation": ""})") ==
          unset);
    CHECK(parse_resources(R"({"memory": {}, "cpu": {}, "pids": {}, "blockIO": {}, "network": {},
                              "rdma": {}, "unified": {}, "devices": [], "hugepageLimits": null})")
              .value() == cgroups::Resources{});
    CHECK(parse_process(R"({"scheduler": {}, "ioPriority": {}, "execCPUAffinity": {},
                            "capabilities": {}, "consoleSize": {"height": 0, "width": 0}})")
              .value() == Process{});
}

TEST_CASE("unknown members are ignored at any depth, and so are other platforms' sections") {
    auto json = json_document("full.json");
    for (const char* pointer : {"/x",
                                "/process/x",
                                "/process/user/x",
                                "/root/x",
                                "/mounts/0/x",
                                "/hooks/x",
                                "/linux/x",
                                "/linux/resources/x",
                                "/linux/devices/0/x",
                                "/linux/seccomp/x",
                                "/linux/namespaces/0/x"}) {
        json = with(json, pointer, Json{{"any", {1, 2.5, nullptr}}});
    }
    json["solaris"] = 1;
    json["windows"] = Json::array();
    json["zos"] = "x";
    json["process"]["commandLine"] = 1;
    json["process"]["user"]["username"] = 1;
    auto expected = full();
    const auto found = parse(json).value();
    // These are kept as text, with what we do not know.
    expected.linux.seccomp->profile = found.linux.seccomp->profile;
    expected.process_text = found.process_text;
    CHECK(found == expected);
}

TEST_CASE("unknown capabilities are kept apart, once each") {
    const auto process = parse_process(R"({"capabilities": {
        "bounding": ["CAP_CHOWN", "CAP_NEW", ""], "effective": ["CAP_NEW", "chown"]}})")
                             .value();
    REQUIRE(process.capabilities);
    CHECK(process.capabilities->sets.bounding == capability("CAP_CHOWN"));
    CHECK(process.capabilities->sets.effective == capability("CAP_CHOWN"));
    CHECK(process.capabilities->unknown == std::vector<std::string>{"CAP_NEW", ""});
}

TEST_CASE("a virtual machine that is asked for is noticed") {
    CHECK(parse(with(small(), "/vm", {{"kernel", {{"path", "/k"}}}})).value().wants_vm);
}

TEST_CASE("bind by type is a bind") {
    const Json mount = {{"destination", "/a"}, {"source", "/b"}};
    auto json = with(small(), "/mounts", Json::array({mount, mount}));
    json["mounts"][0]["type"] = "bind";
    json["mounts"][1]["type"] = "rbind";
    const auto config = parse(json).value();
    CHECK(config.mounts[0].options.bind);
    CHECK_FALSE(config.mounts[0].options.recursive_bind);
    CHECK(config.mounts[1].options.bind);
    CHECK(config.mounts[1].options.recursive_bind);
}

TEST_CASE("the file type's bits in a device's mode are dropped") {
    const auto config = parse_config(document("podman.json")).value();
    CHECK(config.linux.devices.front().mode == 0666);  // 020666 in the file
}
