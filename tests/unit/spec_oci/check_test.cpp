// The specification's rules about documents that can be read.
#include <functional>

#include "tests/unit/spec_oci/support.hpp"

using namespace warren::spec::oci;
using namespace warren::spec::oci::test;
using warren::base::ErrorKind;

namespace {

Pointers problems(const Json& json) {
    const auto config = parse(json);
    REQUIRE_MESSAGE(config, config.error().describe());
    return pointers(check_config(config.value()));
}

Pointers problems_with(const char* pointer, const char* value) {
    return problems(with(small(), pointer, Json::parse(value)));
}

struct Row {
    const char* pointer;  // what is put into small()
    const char* value;
    const char* found;  // where the only problem is; empty: none
};

const Row kRows[] = {
    {"/ociVersion", R"("1.0.2-dev")", ""},
    {"/ociVersion", R"("1.99.0+build.5")", ""},
    {"/ociVersion", R"("2.0.0")", "/ociVersion"},
    {"/ociVersion", R"("0.9.0")", "/ociVersion"},
    {"/ociVersion", R"("1.0")", "/ociVersion"},
    {"/ociVersion", R"("1.0.0.0")", "/ociVersion"},
    {"/ociVersion", R"("1.00.0")", "/ociVersion"},
    {"/ociVersion", R"("1.0.0-")", "/ociVersion"},
    {"/ociVersion", R"("")", "/ociVersion"},
    {"/process", "null", ""},
    {"/process/args", "[]", "/process/args"},
    {"/process/cwd", R"("a")", "/process/cwd"},
    {"/process/cwd", R"("")", "/process/cwd"},
    {"/process/rlimits",
     R"([{"type":"RLIMIT_CPU","soft":1,"hard":2},
                             {"type":"RLIMIT_CPU","soft":1,"hard":2}])",
     "/process/rlimits/1/type"},
    {"/process/rlimits", R"([{"type":"RLIMIT_CPU","soft":3,"hard":2}])", "/process/rlimits/0/soft"},
    {"/process/scheduler", R"({"policy":"SCHED_ISO"})", "/process/scheduler/policy"},
    {"/process/scheduler", R"({"policy":"SCHED_FIFO"})", "/process/scheduler/priority"},
    {"/process/scheduler", R"({"policy":"SCHED_FIFO","priority":1})", ""},
    {"/process/scheduler",
     R"({"policy":"SCHED_OTHER","priority":1})",
     "/process/scheduler/priority"},
    {"/process/scheduler", R"({"policy":"SCHED_OTHER","nice":-20})", ""},
    {"/process/scheduler",
     R"({"policy":"SCHED_RR","priority":9,"period":1})",
     "/process/scheduler"},
    {"/root", "null", "/root"},
    {"/root", R"({"readonly":true})", "/root/path"},
    {"/hostname", R"("x")", ""},
    {"/hostname",
     R"("aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg")",
     "/hostname"},
    {"/domainname",
     R"("aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg")",
     "/domainname"},
    {"/mounts", R"([{"destination":"/a","type":"tmpfs"}])", ""},
    {"/mounts", R"([{"destination":"/a"}])", "/mounts/0/type"},
    {"/mounts", R"([{"destination":"/a","options":["remount","ro"]}])", "/mounts/0/destination"},
    {"/mounts",
     R"([{"destination":"/a","type":"tmpfs"},{"destination":"//a/","options":["remount","ro"]}])",
     ""},
    {"/mounts",
     R"([{"destination":"/a","type":"tmpfs"},{"destination":"/a/../a","options":["remount"]}])",
     "/mounts/1/destination"},
    {"/mounts",
     R"([{"destination":"/a","type":"tmpfs"},{"destination":"/a","options":["remount","idmap"]}])",
     "/mounts/1"},
    {"/mounts", R"([{"destination":"/a","options":["bind"]}])", "/mounts/0/source"},
    {"/mounts",
     R"([{"destination":"/a","options":["bind","remount","ro"]}])",
     "/mounts/0/destination"},
    {"/mounts", R"([{"destination":"/a","source":"/b","options":["bind","size=1"]}])", ""},
    {"/mounts",
     R"([{"destination":"/a","source":"/b","options":["bind","sync"]}])",
     "/mounts/0/options"},
    {"/mounts", R"([{"destination":"/a","source":"/b","options":["bind","async","nomand"]}])", ""},
    {"/mounts",
     R"([{"destination":"/a","source":"/b","options":["bind","tmpcopyup"]}])",
     "/mounts/0/options"},
    {"/mounts", R"([{"destination":"/a","type":"tmpfs","options":["tmpcopyup"]}])", ""},
    {"/mounts",
     R"([{"destination":"/a","type":"proc","options":["tmpcopyup"]}])",
     "/mounts/0/options"},
    {"/mounts",
     R"([{"destination":"/a","type":"proc","options":["src-nofollow"]}])",
     "/mounts/0/options"},
    {"/mounts", R"([{"destination":"/a","source":"/b","options":["bind","copy-symlink"]}])", ""},
    {"/mounts",
     R"([{"destination":"/a","source":"/b","options":["bind","idmap"]}])",
     "/mounts/0/options"},
    {"/mounts",
     R"([{"destination":"/a","source":"/b","options":["bind","idmap"],
        "uidMappings":[{"containerID":0,"hostID":1,"size":1}],
        "gidMappings":[{"containerID":0,"hostID":1,"size":1}]}])",
     ""},
    {"/mounts",
     R"([{"destination":"/a","source":"/b","options":["bind"],
        "uidMappings":[{"containerID":0,"hostID":1,"size":1}]}])",
     "/mounts/0/gidMappings"},
    {"/mounts",
     R"([{"destination":"/a","source":"/b",
        "options":["bind","idmap=uids=0-0-1;gids=0-0-1"],
        "uidMappings":[{"containerID":0,"hostID":1,"size":1}],
        "gidMappings":[{"containerID":0,"hostID":1,"size":1}]}])",
     "/mounts/0/options"},
    {"/mounts",
     R"([{"destination":"/a","source":"/b",
        "options":["bind","idmap=uids=@0-0-1;gids=0-0-1"]}])",
     "/mounts/0/options"},
    {"/mounts",
     R"([{"destination":"/a","type":"tmpfs",
        "options":["idmap=uids=0-0-1;gids=0-0-1"]}])",
     "/mounts/0"},
    {"/hooks", R"({"prestart":[{"path":"x"}]})", "/hooks/prestart/0/path"},
    {"/hooks", R"({"createRuntime":[{"path":"/x"},{"path":""}]})", "/hooks/createRuntime/1/path"},
    {"/hooks", R"({"createContainer":[{"path":"x"}]})", "/hooks/createContainer/0/path"},
    {"/hooks", R"({"startContainer":[{"path":"x"}]})", "/hooks/startContainer/0/path"},
    {"/hooks", R"({"poststart":[{"path":"x"}]})", "/hooks/poststart/0/path"},
    {"/hooks", R"({"poststop":[{"path":"x"}]})", "/hooks/poststop/0/path"},
    {"/annotations", R"({"": "x"})", "/annotations/"},
    {"/linux/namespaces/5", R"({"type":"mount"})", "/linux/namespaces/5/type"},
    {"/linux/namespaces/4", R"({"type":"network","path":"ns"})", "/linux/namespaces/4/path"},
    {"/linux/uidMappings", R"([{"containerID":0,"hostID":1,"size":1}])", "/linux/uidMappings"},
    {"/linux/timeOffsets", R"({"monotonic":{"secs":1}})", "/linux/timeOffsets"},
    {"/linux/devices", R"([{"path":"dev/x","type":"p"}])", "/linux/devices/0/path"},
    {"/linux/devices", R"([{"path":"/dev/x/","type":"p"}])", "/linux/devices/0/path"},
    {"/linux/devices",
     R"([{"path":"/dev/x","type":"p"},{"path":"/dev/x","type":"p"}])",
     "/linux/devices/1/path"},
    {"/linux/netDevices", R"({"eth0":{}})", ""},
    {"/linux/netDevices", R"({"eth0":{"name":"a/b"}})", "/linux/netDevices/eth0/name"},
    {"/linux/netDevices", R"({"eth0":{"name":"sixteenletters16"}})", "/linux/netDevices/eth0/name"},
    {"/linux/netDevices",
     R"({"eth0":{"name":"x"},"eth1":{"name":"x"}})",
     "/linux/netDevices/eth1/name"},
    {"/linux/netDevices", R"({"..":{}})", "/linux/netDevices"},
    {"/linux/cgroupsPath", R"("/a/../b")", "/linux/cgroupsPath"},
    {"/linux/cgroupsPath", R"("..")", "/linux/cgroupsPath"},
    {"/linux/cgroupsPath", R"("a..b")", ""},
    {"/linux/intelRdt", R"({"closID":"a/b"})", "/linux/intelRdt/closID"},
    {"/linux/intelRdt", R"({"closID":".."})", "/linux/intelRdt/closID"},
    {"/linux/intelRdt", R"({"memBwSchema":"L3:0=f"})", "/linux/intelRdt/memBwSchema"},
    {"/linux/memoryPolicy", R"({"mode":"MPOL_BIND"})", "/linux/memoryPolicy/nodes"},
    {"/linux/memoryPolicy", R"({"mode":"MPOL_LOCAL","nodes":"0"})", "/linux/memoryPolicy/nodes"},
    {"/linux/memoryPolicy", R"({"mode":"MPOL_PREFERRED"})", ""},
    {"/linux/memoryPolicy",
     R"({"mode":"MPOL_BIND","nodes":"0",
        "flags":["MPOL_F_STATIC_NODES","MPOL_F_RELATIVE_NODES"]})",
     "/linux/memoryPolicy/flags"},
    {"/linux/memoryPolicy",
     R"({"mode":"MPOL_DEFAULT","flags":["MPOL_F_STATIC_NODES"]})",
     "/linux/memoryPolicy/flags"},
    {"/linux/seccomp",
     R"({"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"x"})",
     "/linux/seccomp/listenerPath"},
    {"/linux/seccomp",
     R"({"defaultAction":"SCMP_ACT_ALLOW","listenerMetadata":"x"})",
     "/linux/seccomp/listenerMetadata"},
    {"/linux/seccomp",
     R"({"defaultAction":"SCMP_ACT_ALLOW",
        "syscalls":[{"names":["a"],"action":"SCMP_ACT_NOTIFY"}]})",
     "/linux/seccomp/listenerPath"},
    {"/linux/maskedPaths", R"(["/a", "b"])", "/linux/maskedPaths/1"},
    {"/linux/readonlyPaths", R"([""])", "/linux/readonlyPaths/0"},
    {"/vm", R"({"kernel":{"path":"/k"}})", "/vm"},
};

}  // namespace

TEST_CASE("nothing is wrong with a small config") {
    CHECK(problems(small()) == Pointers{});
}

TEST_CASE("each rule, with the place it names") {
    for (const auto& row : kRows) {
        CAPTURE(row.pointer);
        CAPTURE(row.value);
        const Pointers expected = *row.found == '\0' ? Pointers{} : Pointers{row.found};
        CHECK(problems_with(row.pointer, row.value) == expected);
    }
}

TEST_CASE("rules about what a namespace must be there for") {
    auto json = small();
    json["linux"]["namespaces"] = Json::array();
    CHECK(problems(json) == Pointers{});
    json["hostname"] = "a";
    json["domainname"] = "b";
    json["mounts"] = Json::array({{{"destination", "/a"}, {"type", "tmpfs"}}});
    json["linux"]["uidMappings"] = json["linux"]["gidMappings"] =
        Json::array({{{"containerID", 0}, {"hostID", 1}, {"size", 1}}});
    json["linux"]["netDevices"] = {{"eth0", Json::object()}};
    json["linux"]["maskedPaths"] = json["linux"]["readonlyPaths"] = Json::array({"/a"});
    CHECK(problems(json) == Pointers{"/hostname",
                                     "/domainname",
                                     "/linux/uidMappings",
                                     "/linux/gidMappings",
                                     "/linux/netDevices",
                                     "/linux/maskedPaths",
                                     "/linux/readonlyPaths"});
}

TEST_CASE("maps of a user namespace") {
    auto json = small();
    json["linux"]["namespaces"].push_back({{"type", "user"}});
    CHECK(problems(json) == Pointers{"/linux/uidMappings", "/linux/gidMappings"});
    const auto range = [](int inside, int outside, int size) {
        return Json{{"containerID", inside}, {"hostID", outside}, {"size", size}};
    };
    json["linux"]["gidMappings"] = Json::array({range(0, 100, 10), range(10, 200, 10)});
    json["linux"]["uidMappings"] = Json::array({range(5, 100, 10), range(0, 200, 6)});
    CHECK(problems(json) == Pointers{"/linux/uidMappings"});
    json["linux"]["uidMappings"] = Json::array({range(0, 100, 10), range(10, 109, 1)});
    CHECK(problems(json) == Pointers{"/linux/uidMappings"});
    json["linux"]["namespaces"].back()["path"] = "/proc/1/ns/user";
    json["linux"].erase("uidMappings");
    CHECK(problems(json) == Pointers{});
}

TEST_CASE("clocks of a namespace that is joined stay") {
    auto json = with(small(), "/linux/timeOffsets", {{"boottime", {{"secs", 1}}}});
    json["linux"]["namespaces"].push_back({{"type", "time"}});
    CHECK(problems(json) == Pointers{});
    json["linux"]["namespaces"].back()["path"] = "/proc/1/ns/time";
    CHECK(problems(json) == Pointers{"/linux/timeOffsets"});
}

TEST_CASE("all problems at once, in the document's order, and the first leads the error") {
    auto json = small();
    json["ociVersion"] = "3.0.0";
    json["process"]["cwd"] = "x";
    json["process"]["args"] = Json::array();
    json.erase("root");
    json["hooks"]["poststop"] = Json::array({{{"path", "x"}}});
    json["linux"]["maskedPaths"] = Json::array({"x"});
    const auto found = check_config(parse(json).value());
    CHECK(pointers(found) == Pointers{"/ociVersion",
                                      "/process/args",
                                      "/process/cwd",
                                      "/root",
                                      "/hooks/poststop/0/path",
                                      "/linux/maskedPaths/0"});
    CHECK(found.front().kind == ErrorKind::Unsupported);
    const auto status = to_status(found);
    REQUIRE_FALSE(status);
    CHECK(status.error().place() == "/ociVersion");
    CHECK(status.error().kind() == ErrorKind::Unsupported);
    CHECK(status.error().secondary().size() == 5);
    CHECK(status.error().secondary().back().place() == "/linux/maskedPaths/0");
    CHECK(to_status({}));
}

TEST_CASE("a process alone has its own pointers") {
    CHECK(pointers(check_process(Process{})) == Pointers{"/args", "/cwd"});
    CHECK(pointers(check_process(Process{}, "/process")) ==
          Pointers{"/process/args", "/process/cwd"});
}
