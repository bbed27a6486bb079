// Documents that are refused, and the place that the error names.
#include <algorithm>

#include "tests/unit/spec_oci/support.hpp"

using namespace warren::spec::oci;
using namespace warren::spec::oci::test;
using warren::base::ErrorKind;

namespace {

// A value of another type than `value`.
Json other_type(const Json& value) {
    if (value.is_string()) {
        return 7;
    }
    if (value.is_boolean()) {
        return 1;
    }
    if (value.is_number()) {
        return "7";
    }
    return value.is_array() ? Json{{"a", 1}} : Json::array({1});
}

void collect(const Json& value, const std::string& pointer, std::vector<std::string>& out) {
    if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) {
            out.push_back(pointer + "/" + std::to_string(i));
            collect(value[i], out.back(), out);
        }
    } else if (value.is_object()) {
        for (const auto& [key, item] : value.items()) {
            std::string escaped;
            for (const char c : key) {
                escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
            }
            const auto place = pointer + "/" + escaped;
            out.push_back(place);
            collect(item, place, out);
        }
    }
}

struct Bad {
    const char* pointer;
    const char* value;  // JSON
};

// In full.json; the error names the pointer itself.
const Bad kBad[] = {
    {"/process/user/uid", "4294967295"},
    {"/process/user/uid", "-1"},
    {"/process/user/uid", "1.5"},
    {"/process/user/gid", "4294967296"},
    {"/process/user/umask", "512"},
    {"/process/user/additionalGids/0", "-1"},
    {"/process/user/additionalGids/0", "4294967295"},
    {"/process/user/additionalGids/0", "1.0"},
    {"/process/consoleSize/height", "65536"},
    {"/process/rlimits/0/type", "\"RLIMIT_X\""},
    {"/process/rlimits/0/type", "\"nofile\""},
    {"/process/rlimits/0/soft", "-1"},
    {"/process/rlimits/0/hard", "18446744073709551616"},
    {"/process/oomScoreAdj", "1001"},
    {"/process/oomScoreAdj", "-1001"},
    {"/process/apparmorProfile", R"("a\nb")"},
    {"/process/selinuxLabel", R"("a\u007f")"},
    {"/process/scheduler/policy", "\"SCHED_FAIR\""},
    {"/process/scheduler/nice", "20"},
    {"/process/scheduler/nice", "-21"},
    {"/process/scheduler/priority", "100"},
    {"/process/scheduler/flags/0", "\"SCHED_FLAG_X\""},
    {"/process/scheduler/runtime", "-1"},
    {"/process/ioPriority/class", "\"IOPRIO_CLASS_NONE\""},
    {"/process/ioPriority/priority", "8"},
    {"/process/execCPUAffinity/initial", "\"1-\""},
    {"/process/execCPUAffinity/initial", "\"3-1\""},
    {"/process/execCPUAffinity/final", "\"8192\""},
    {"/process/execCPUAffinity/final", "\"1,,2\""},
    {"/process/execCPUAffinity/final", "\"1,\""},
    {"/process/args/0", R"("a\u0000b")"},
    {"/process/env/0", R"("a\u0000b")"},
    {"/process/cwd", R"("/\u0000")"},
    {"/hostname", R"("a\nb")"},
    {"/domainname", R"("a\tb")"},
    {"/mounts/0/destination", "\"\""},
    {"/mounts/1/options/0", "\"\""},
    {"/mounts/1/options/2", R"("a=\u0000")"},
    {"/mounts/1/options/2", R"("a\nb")"},
    {"/mounts/1/options/1", "\"=x\""},
    {"/mounts/1/options/1", "\"idmap=\""},
    {"/mounts/1/options/1", "\"idmap=uids=0-0-0;gids=0-0-1\""},
    {"/mounts/4/uidMappings/0/size", "0"},
    {"/mounts/4/gidMappings/0/hostID", "4294967295"},
    {"/hooks/prestart/0/timeout", "0"},
    {"/hooks/poststop/0/timeout", "-1"},
    {"/hooks/poststop/0/timeout", "2147483648"},
    {"/linux/uidMappings/0/size", "4294967296"},
    {"/linux/uidMappings/0/containerID", "-1"},
    {"/linux/namespaces/0/type", "\"net\""},
    {"/linux/namespaces/0/type", "\"\""},
    {"/linux/timeOffsets/monotonic/nanosecs", "1000000000"},
    {"/linux/timeOffsets/monotonic/secs", "9223372036854775808"},
    {"/linux/timeOffsets/realtime", "{}"},
    {"/linux/devices/0/type", "\"x\""},
    {"/linux/devices/0/major", "4096"},
    {"/linux/devices/0/minor", "1048576"},
    {"/linux/devices/0/minor", "-1"},
    {"/linux/devices/0/fileMode", "4294967296"},
    {"/linux/devices/0/uid", "4294967295"},
    {"/linux/netDevices/eth0/name", R"("a\n")"},
    {"/linux/cgroupsPath", R"("a\nb")"},
    {"/linux/resources/devices/0/type", "\"d\""},
    {"/linux/resources/devices/0/access", "\"rx\""},
    {"/linux/resources/devices/0/major", "-2"},
    {"/linux/resources/memory/limit", "9223372036854775808"},
    {"/linux/resources/memory/swappiness", "-1"},
    {"/linux/resources/cpu/shares", "-1"},
    {"/linux/resources/cpu/cpus", R"("0\n1")"},
    {"/linux/resources/blockIO/weight", "65536"},
    {"/linux/resources/blockIO/weightDevice/0/leafWeight", "65536"},
    {"/linux/resources/blockIO/throttleReadBpsDevice/0/major", "-1"},
    {"/linux/resources/blockIO/throttleWriteIOPSDevice/0/rate", "-1"},
    {"/linux/resources/hugepageLimits/0/pageSize", R"("2\n")"},
    {"/linux/resources/rdma/mlx5_1/hcaHandles", "4294967296"},
    {"/linux/resources/rdma/mlx5_1", "{}"},
    {"/linux/resources/network/classID", "4294967296"},
    {"/linux/resources/network/priorities/0/priority", "-1"},
    {"/linux/resources/unified/a", R"("\u0000")"},
    {"/linux/intelRdt/closID", R"("a\n")"},
    {"/linux/intelRdt/memBwSchema", R"("MB:\nL3:")"},
    {"/linux/intelRdt/schemata/0", R"("L3:\nMB:")"},
    {"/linux/memoryPolicy/mode", "\"MPOL_X\""},
    {"/linux/memoryPolicy/nodes", "\"1024\""},
    {"/linux/memoryPolicy/flags/0", "\"MPOL_F_X\""},
    {"/linux/rootfsPropagation", "\"secret\""},
    {"/linux/personality/domain", "\"BSD\""},
    {"/linux/seccomp/defaultAction", "\"SCMP_ACT_X\""},
    {"/linux/seccomp/defaultAction", "\"SCMP_ACT_NOTIFY\""},
    {"/linux/seccomp/defaultErrnoRet", "1"},
    {"/linux/seccomp/architectures/0", "\"SCMP_ARCH_VAX\""},
    {"/linux/seccomp/flags/0", "\"SECCOMP_FILTER_FLAG_NEW_LISTENER\""},
    {"/linux/seccomp/syscalls/0/names", "[]"},
    {"/linux/seccomp/syscalls/0/action", "\"ALLOW\""},
    {"/linux/seccomp/syscalls/0/errnoRet", "1"},
    {"/linux/seccomp/syscalls/1/errnoRet", "4096"},
    {"/linux/seccomp/syscalls/1/args/0/index", "6"},
    {"/linux/seccomp/syscalls/1/args/0/value", "-1"},
    {"/linux/seccomp/syscalls/1/args/0/op", "\"==\""},
};

}  // namespace

TEST_CASE("a wrong type is refused with the place, whichever member has it") {
    const auto full = json_document("full.json");
    std::vector<std::string> places;
    collect(full, "", places);
    REQUIRE(places.size() > 250);
    for (const auto& place : places) {
        CAPTURE(place);
        const auto wrong = with(full, place, other_type(full[Json::json_pointer(place)]));
        const auto config = parse(wrong);
        REQUIRE_FALSE(config);
        CHECK(config.error().place() == place);
        CHECK(config.error().kind() == ErrorKind::Usage);
        CHECK(config.error().describe().find(place) != std::string::npos);
    }
}

TEST_CASE("a bad value is refused with the place") {
    const auto full = json_document("full.json");
    for (const auto& bad : kBad) {
        CAPTURE(bad.pointer);
        CAPTURE(bad.value);
        const auto value = warren::base::parse_json(bad.value, "value").value();
        CHECK(place_of_error(with(full, bad.pointer, value)) == bad.pointer);
    }
}

TEST_CASE("a missing member is refused with the place") {
    const auto full = json_document("full.json");
    for (const std::string pointer : {"/ociVersion",
                                      "/process/rlimits/0/type",
                                      "/process/rlimits/0/soft",
                                      "/process/rlimits/0/hard",
                                      "/process/scheduler/policy",
                                      "/process/ioPriority/class",
                                      "/process/ioPriority/priority",
                                      "/mounts/0/destination",
                                      "/mounts/4/uidMappings/0/size",
                                      "/hooks/prestart/0/path",
                                      "/linux/namespaces/0/type",
                                      "/linux/uidMappings/0/hostID",
                                      "/linux/uidMappings/0/containerID",
                                      "/linux/devices/0/path",
                                      "/linux/devices/0/type",
                                      "/linux/devices/0/major",
                                      "/linux/devices/1/minor",
                                      "/linux/memoryPolicy/mode",
                                      "/linux/seccomp/defaultAction",
                                      "/linux/seccomp/syscalls/0/names",
                                      "/linux/seccomp/syscalls/0/action",
                                      "/linux/seccomp/syscalls/1/args/0/index",
                                      "/linux/seccomp/syscalls/1/args/0/value",
                                      "/linux/seccomp/syscalls/1/args/0/op",
                                      "/linux/resources/hugepageLimits/0/pageSize",
                                      "/linux/resources/hugepageLimits/0/limit",
                                      "/linux/resources/blockIO/weightDevice/0/major",
                                      "/linux/resources/blockIO/throttleReadIOPSDevice/0/rate",
                                      "/linux/resources/network/priorities/0/name"}) {
        CAPTURE(pointer);
        CHECK(place_of_error(without(full, pointer)) == pointer);
    }
}

TEST_CASE("flags of a personality are refused") {
    const auto json = with(json_document("full.json"), "/linux/personality/flags", {"X"});
    CHECK(place_of_error(json) == "/linux/personality/flags/0");
}

TEST_CASE("too many ids are refused") {
    auto groups = Json::array();
    for (int i = 0; i < 65537; ++i) {
        groups.push_back(i);
    }
    CHECK(place_of_error(with(small(), "/process/user/additionalGids", groups)) ==
          "/process/user/additionalGids");
    auto ranges = Json::array();
    for (int i = 0; i < 341; ++i) {
        ranges.push_back({{"containerID", i}, {"hostID", i}, {"size", 1}});
    }
    CHECK(place_of_error(with(small(), "/linux/gidMappings", ranges)) == "/linux/gidMappings");
}

TEST_CASE("what is no document is refused in one line that says where") {
    const auto refused = [](const std::string& text) {
        const auto config = parse_config(text);
        REQUIRE_FALSE(config);
        CHECK(config.error().kind() == ErrorKind::Usage);
        const auto line = config.error().describe();
        CHECK(line.starts_with("config.json: "));
        CHECK(line.find('\n') == std::string::npos);
        return config.error().place();
    };
    CHECK(refused("") == "byte 1");
    CHECK(refused("{\"ociVersion\":\"1.0.0\"") == "byte 22");
    CHECK(refused("[]") == "/");
    CHECK(refused("7") == "/");
    CHECK(refused("{}") == "/ociVersion");
    CHECK(refused(std::string("{}\0", 3)) == "byte 3");
    CHECK(refused(document("duplicate")) == "/ociVersion");
    CHECK(refused(document("deep")).starts_with("/ociVersion/0/0/0"));
    CHECK(refused(std::string(kMaxDocument + 1, ' ')).empty());
    CHECK(refused("{\"ociVersion\": \"1\", \"linux\": {\"rootfsPropagation\": \"a\\nb\"}}") ==
          "/linux/rootfsPropagation");
}

TEST_CASE("pointers of a process or of resources alone start at their own root") {
    const auto process = parse_process(R"({"user": {"uid": -1}})", "p.json");
    REQUIRE_FALSE(process);
    CHECK(process.error().place() == "/user/uid");
    CHECK(process.error().describe().starts_with("p.json: /user/uid: "));
    const auto resources = parse_resources(R"({"pids": {"limit": "1"}})");
    REQUIRE_FALSE(resources);
    CHECK(resources.error().place() == "/pids/limit");
}

TEST_CASE("lists of numbers") {
    using Numbers = std::vector<std::uint32_t>;
    CHECK(parse_number_list("0", 3).value() == Numbers{0});
    CHECK(parse_number_list("2-3,0,2-3", 3).value() == Numbers{0, 2, 3});
    CHECK_FALSE(parse_number_list("", 3));
    CHECK_FALSE(parse_number_list("4", 3));
    CHECK_FALSE(parse_number_list("0-4", 3));
    CHECK_FALSE(parse_number_list("-1", 3));
    CHECK_FALSE(parse_number_list("1 ", 3));
    std::string many;
    for (int i = 0; i < 10'000; ++i) {
        many += "0-8191,";
    }
    CHECK(parse_number_list(many + "1", 8191).value().size() == 8192);
}

TEST_CASE("names of limits") {
    CHECK(parse_rlimit_name("RLIMIT_NOFILE").value() == 7);
    CHECK_FALSE(parse_rlimit_name("NOFILE"));
}
