// Containers in scopes of systemd's; where it does not run, there is nothing to see.
#include "cgroups/placement.hpp"
#include "cgroups/systemd_bus.hpp"
#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using namespace warren::cgroups::test;

namespace {

std::optional<Host> systemd_host() {
    auto host = real_host();
    if (host && !host->systemd) {
        MESSAGE("skipped: systemd is not running here");
        return std::nullopt;
    }
    return host;
}

// A process where we are, as the one that waits to be adopted is.
base::Fd own_dir(const Host& host) {
    return base::open_dir(AT_FDCWD, host.mount_point + host.own_path).value();
}

PlacementRequest request() {
    PlacementRequest out;
    out.id = "box";
    out.systemd = true;
    out.cgroups_path = "warrentest.slice:unit:" + std::to_string(::getpid());
    return out;
}

ContainerCgroup start(const Host& host,
                      const PlacementRequest& wish,
                      const Resources& resources,
                      pid_t pid) {
    const auto place = Placement::resolve(host, wish);
    if (!place) {
        FAIL(place.error().describe());
    }
    auto cgroup = place.value().create(host, resources);
    if (!cgroup) {
        FAIL(cgroup.error().describe());
    }
    REQUIRE(cgroup.value());
    CHECK(cgroup.value()->clone_dir() == -1);
    const auto adopted = cgroup.value()->adopt(host, pid);
    if (!adopted) {
        FAIL(adopted.error().describe());
    }
    CHECK(cgroup.value()->record() == place.value().record());
    return std::move(*std::move(cgroup).value());
}

// What systemctl(1) says of it.
std::string property(const std::string& unit, const std::string& name) {
    const TempDir dir;
    const auto file = (std::filesystem::path(dir.path()) / "out").string();
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        ::dup2(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), 1);
        ::execlp(
            "systemctl", "systemctl", "show", "--value", "-p", name.c_str(), unit.c_str(), nullptr);
        ::_exit(127);
    }
    CHECK(wait_for(pid) == 0);
    auto text = dir.read("out");
    return text.substr(0, text.find('\n'));
}

}  // namespace

TEST_CASE("a container in a scope: adopted, limited by systemd and by us, changed live, removed") {
    const auto host = systemd_host();
    if (!host) {
        return;
    }
    Resources resources;
    resources.pids_limit = 77;
    resources.memory.limit = 64 << 20;
    resources.cpu.quota = 50000;
    resources.cpu.period = 100000;
    resources.devices = {{false}, {true, 'c', 10, 229}};
    auto wish = request();
    wish.annotations["org.systemd.property.TimeoutStopSec"] = "7";
    wish.annotations["org.systemd.property.Documentation"] = "['man:a(1)', 'man:b(1)']";
    Process process(own_dir(*host).get());
    const auto cgroup = start(*host, wish, resources, process.pid());
    const auto unit = cgroup.record().scope;
    CHECK(cgroup.record().path == "/warrentest.slice/" + unit);
    const auto full = host->mount_point + cgroup.record().path;
    const auto read = [&](const std::string& file) {
        return base::read_file_at(AT_FDCWD, full + "/" + file).value();
    };
    CHECK(cgroup.cgroup().processes().value() == std::vector<pid_t>{process.pid()});
    CHECK(property(unit, "ActiveState") == "active");
    CHECK(property(unit, "Delegate") == "yes");
    CHECK(property(unit, "Slice") == "warrentest.slice");
    CHECK(property(unit, "TimeoutStopUSec") == "7s");
    CHECK(property(unit, "Documentation") == "man:a(1) man:b(1)");
    CHECK(property(unit, "TasksMax") == "77");
    CHECK(read("pids.max") == "77\n");
    CHECK(property(unit, "MemoryMax") == std::to_string(64 << 20));
    CHECK(read("memory.max") == std::to_string(64 << 20) + "\n");
    CHECK(property(unit, "CPUQuotaPerSecUSec") == "500ms");
    CHECK(read("cgroup.max.descendants") == "1024\n");
    const auto opens = [&](const char* device) {
        return Process(cgroup.clone_dir(),
                       [device] { return ::open(device, O_RDONLY | O_CLOEXEC) >= 0 ? 0 : errno; })
            .wait();
    };
    CHECK(opens("/dev/null") == 0);
    CHECK(opens("/dev/kmsg") == EPERM);

    Resources more;
    more.memory.limit = 128 << 20;
    more.pids_limit = -1;
    const auto changed = cgroup.apply(*host, more);
    if (!changed) {
        FAIL(changed.error().describe());
    }
    CHECK(property(unit, "MemoryMax") == std::to_string(128 << 20));
    CHECK(read("memory.max") == std::to_string(128 << 20) + "\n");
    CHECK(property(unit, "TasksMax") == "infinity");
    CHECK(read("pids.max") == "max\n");
    auto bus = SystemdBus::connect(SystemdManager::Host).value();
    CHECK(bus.set_properties(unit, {{"AllowedCPUs", Bytes{0x05}}}));
    CHECK(property(unit, "AllowedCPUs") == "0 2");
    // What systemd believes is what we wrote: it may write it again.
    const pid_t reload = ::fork();
    if (reload == 0) {
        ::execlp("systemctl", "systemctl", "daemon-reload", nullptr);
        ::_exit(127);
    }
    CHECK(wait_for(reload) == 0);
    CHECK(read("memory.max") == std::to_string(128 << 20) + "\n");
    CHECK(opens("/dev/kmsg") == EPERM);

    CHECK(remove_container_cgroup(*host, cgroup.record(), kPatience));
    CHECK(process.wait() == 256 + SIGKILL);
    CHECK(!std::filesystem::exists(full));
    CHECK(property(unit, "LoadState") == "not-found");
    CHECK(remove_container_cgroup(*host, cgroup.record(), kPatience));
}

TEST_CASE("the name of a scope can be had again at once, but not beside itself") {
    const auto host = systemd_host();
    if (!host) {
        return;
    }
    for (int i = 0; i < 5; ++i) {
        const Process process(own_dir(*host).get());
        const auto cgroup = start(*host, request(), {}, process.pid());
        CHECK(remove_container_cgroup(*host, cgroup.record(), kPatience));
    }
    const Process process(own_dir(*host).get());
    const auto cgroup = start(*host, request(), {}, process.pid());
    const Process other(own_dir(*host).get());
    auto second = Placement::resolve(*host, request()).value().create(*host, {});
    const auto refused = second.value()->adopt(*host, other.pid());
    REQUIRE(!refused);
    CHECK(refused.error().kind() == base::ErrorKind::Exists);
    CHECK(cgroup.cgroup().populated().value());
    CHECK(remove_container_cgroup(*host, cgroup.record(), kPatience));
}

TEST_CASE("a scope whose limits cannot be had is stopped again") {
    const auto host = systemd_host();
    if (!host) {
        return;
    }
    Resources resources;
    resources.unified["cgroup.max.depth"] = "deep";
    Process process(own_dir(*host).get());
    const auto place = Placement::resolve(*host, request()).value();
    auto cgroup = place.create(*host, resources);
    REQUIRE(cgroup);
    CHECK(!cgroup.value()->adopt(*host, process.pid()));
    CHECK(process.wait() == 256 + SIGKILL);
    CHECK(property(place.record().scope, "LoadState") == "not-found");
}

TEST_CASE("what systemd refuses is said in its words, and the process lives on") {
    const auto host = systemd_host();
    if (!host) {
        return;
    }
    auto wish = request();
    wish.annotations["org.systemd.property.NoSuchProperty"] = "true";
    const Process process(own_dir(*host).get());
    auto cgroup = Placement::resolve(*host, wish).value().create(*host, {});
    const auto refused = cgroup.value()->adopt(*host, process.pid());
    REQUIRE(!refused);
    CHECK(refused.error().describe().find("NoSuchProperty") != std::string::npos);
    CHECK(::kill(process.pid(), 0) == 0);
}
