#include "container_fixture.hpp"

#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <linux/mount.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/socket.hpp"
#include "isolation/capabilities.hpp"
#include "isolation/mounts.hpp"

namespace warren::isolation::test {

namespace {

constexpr const char* kSocket = "start.sock";

ContainerDevice node(const std::string& path, std::uint32_t major, std::uint32_t minor) {
    ContainerDevice device;
    device.path = path;
    device.major = major;
    device.minor = minor;
    return device;
}

}  // namespace

TestContainer::OwnDir::OwnDir() {
    char name[] = "/tmp/warren-container-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
    auto dir = base::open_dir(AT_FDCWD, path_);
    REQUIRE(dir);
    dir_ = std::move(dir).value();
}

TestContainer::OwnDir::OwnDir(OwnDir&& other) noexcept
    : path_(std::exchange(other.path_, {})), dir_(std::move(other.dir_)) {}

TestContainer::OwnDir::~OwnDir() {
    if (!path_.empty()) {
        (void)base::remove_tree_at(AT_FDCWD, path_);
    }
}

ContainerMount file_system(const std::string& type, const std::string& target) {
    ContainerMount mount;
    mount.fs_type = type;
    mount.target = target;
    mount.options = {{"source", type}};
    return mount;
}

ContainerHook hook(const std::string& site, std::vector<std::string> argv) {
    ContainerHook hook;
    hook.site = site;
    hook.path = argv.front();
    hook.argv = std::move(argv);
    return hook;
}

ContainerSpec container_spec(const TestRoot& root, std::vector<std::string> args) {
    ContainerSpec spec;
    spec.namespaces.fresh = NamespaceSet::all();
    spec.namespaces.fresh.remove(Namespace::User);
    if (::access("/proc/self/ns/time", F_OK) != 0) {
        spec.namespaces.fresh.remove(Namespace::Time);
    }
    spec.hostname = "box";
    spec.root.path = root.path();
    auto dev = file_system("tmpfs", "/dev");
    dev.attributes.set = MOUNT_ATTR_NOSUID;
    dev.options.emplace_back("mode", "0755");
    auto pts = file_system("devpts", "/dev/pts");
    pts.options.emplace_back("newinstance", "");
    pts.options.emplace_back("ptmxmode", "0666");
    spec.mounts = {file_system("proc", "/proc"), dev, pts, file_system("sysfs", "/sys")};
    spec.devices = {node("/dev/null", 1, 3), node("/dev/zero", 1, 5), node("/dev/tty", 5, 0)};
    spec.links = {{"/dev/fd", "/proc/self/fd", false}, {"/dev/ptmx", "pts/ptmx", true}};
    spec.start_socket_slot = kSocketSlot;
    spec.create_state_slot = kCreateStateSlot;
    spec.start_state_slot = kStartStateSlot;
    spec.process.argv = {"inspect"};
    spec.process.argv.insert(spec.process.argv.end(), args.begin(), args.end());
    spec.process.env = {"PATH=/nowhere:/bin", "COLOR=green"};
    spec.process.capabilities =
        process_capabilities(default_bounding(GuestKind::Command, false), true);
    return spec;
}

ContainerSpec mapped_spec(const TestRoot& root, std::vector<std::string> args) {
    ContainerSpec spec = container_spec(root, std::move(args));
    spec.namespaces.fresh.add(Namespace::User);
    spec.id_map = IdMap::contiguous(kIdBase, kIdCount);
    for (auto& device : spec.devices) {
        device.source = ContainerDevice::Source::HostPath;
        device.host_path = device.path;
    }
    return spec;
}

base::Result<TestContainer> TestContainer::create(const ContainerSpec& spec,
                                                  const TestRoot& root,
                                                  const CreateOptions& options) {
    const auto recipe = TRY(plan_container(spec, options.filter));
    OwnDir dir;
    const auto socket = TRY(base::listen_at(dir.fd(), kSocket));
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    base::Fd read_end(ends[0]);
    const base::Fd write_end(ends[1]);
    auto pending = TRY(
        PendingContainer::clone(spec, recipe, -1, StdioFds{-1, write_end.get(), write_end.get()}));
    if (spec.namespaces.fresh.has(Namespace::User)) {
        TRY(pending.write_id_maps(spec.id_map, spec.setgroups_denied));
    }
    auto notes = TRY(pending.apply_process(spec.process));
    if (options.before_release) {
        options.before_release(pending);
    }
    const auto root_mount = spec.root.source == MountSource::Slot
                                ? root.mount()
                                : TRY(base::open_at(AT_FDCWD, "/dev/null", O_RDONLY));
    const auto creating = TRY(state_file(R"({"status":"creating"})"));
    const auto waiting = TRY(state_file(R"({"status":"created"})"));
    std::vector<int> slots{root_mount.get(), socket.get(), creating.get(), waiting.get()};
    slots.insert(slots.end(), options.slots.begin(), options.slots.end());
    auto made = TRY(std::move(pending).release(slots));
    made.notes.insert(made.notes.begin(), notes.begin(), notes.end());
    const bool terminal = spec.process.stdio == Stdio::Terminal;
    Running running({std::move(made.process), std::move(made.terminal_master), made.notes},
                    terminal ? base::Fd() : std::move(read_end));
    const std::string program = spec.process.argv.empty() ? "" : spec.process.argv.front();
    return TestContainer(std::move(running), std::move(dir), program);
}

base::Result<base::Fd> TestContainer::connect() const {
    return base::connect_at(dir_.fd(), kSocket);
}

base::Result<Started> TestContainer::start(const ListenerHandler& on_listener) {
    const auto connection = TRY(connect());
    return await_started(connection.get(), program_, running_.process(), on_listener);
}

TestContainer created(const ContainerSpec& spec,
                      const TestRoot& root,
                      const CreateOptions& options) {
    auto container = TestContainer::create(spec, root, options);
    if (!container) {
        FAIL(container.error().describe());
    }
    return std::move(container).value();
}

base::Json inspect_container(const ContainerSpec& spec,
                             const TestRoot& root,
                             const CreateOptions& options) {
    auto container = TestContainer::create(spec, root, options);
    if (!container) {
        FAIL(container.error().describe());
    }
    const auto started = container.value().start();
    if (!started) {
        FAIL(started.error().describe());
    }
    auto report = container.value().process().report();
    CHECK(container.value().process().wait() == base::ExitStatus{});
    return report;
}

std::string create_error(const ContainerSpec& spec,
                         const TestRoot& root,
                         const CreateOptions& options) {
    const auto container = TestContainer::create(spec, root, options);
    return container ? "" : container.error().describe();
}

std::string start_error(const ContainerSpec& spec,
                        const TestRoot& root,
                        const CreateOptions& options) {
    auto container = TestContainer::create(spec, root, options);
    if (!container) {
        FAIL(container.error().describe());
    }
    const auto started = container.value().start();
    return started ? "" : started.error().describe();
}

}  // namespace warren::isolation::test
