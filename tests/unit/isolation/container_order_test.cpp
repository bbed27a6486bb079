// The order in which the kernel lists a container's mounts is that of its config.
#include <algorithm>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/kernel_release.hpp"
#include "container_fixture.hpp"
#include "isolation/mounts.hpp"

using namespace warren;
using namespace warren::isolation;
using namespace warren::isolation::test;

namespace {

// Before, the list is in the order of attaching anyway.
bool kernel_lists_by_age() {
    return base::running_kernel() >= base::KernelRelease{6, 8};
}

// A mount namespace of this process's own while the object lives.
class OwnMounts {
public:
    OwnMounts() : before_(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)) {
        REQUIRE(before_);
        REQUIRE(::unshare(CLONE_NEWNS) == 0);
        REQUIRE(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    }

    OwnMounts(const OwnMounts&) = delete;
    OwnMounts& operator=(const OwnMounts&) = delete;
    OwnMounts(OwnMounts&&) = delete;
    OwnMounts& operator=(OwnMounts&&) = delete;

    ~OwnMounts() { CHECK(::setns(before_.get(), CLONE_NEWNS) == 0); }

private:
    base::Fd before_;
};

void mount_tmpfs(const std::string& path, unsigned long propagation) {
    REQUIRE(::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=64k") == 0);
    REQUIRE(::mount("none", path.c_str(), nullptr, propagation, nullptr) == 0);
}

ContainerMount bind_slot(const std::string& target, std::uint32_t slot, bool directory) {
    ContainerMount mount;
    mount.source = MountSource::Slot;
    mount.slot = slot;
    mount.target = target;
    mount.is_directory = directory;
    return mount;
}

ContainerMount bind_path(const std::string& target, const std::string& path) {
    ContainerMount mount;
    mount.source = MountSource::HostPath;
    mount.host_path = path;
    mount.target = target;
    return mount;
}

// The targets at and below /m, as listed.
std::vector<std::string> listed(const base::Json& report) {
    std::vector<std::string> targets;
    for (const auto& mount : report.at("mounts")) {
        const auto target = mount.at("target").get<std::string>();
        if (target.starts_with("/m/")) {
            targets.push_back(target);
        }
    }
    return targets;
}

base::Json inspect_with(const ContainerSpec& spec,
                        const TestRoot& root,
                        const std::vector<std::string>& sources) {
    std::vector<base::Fd> trees;
    CreateOptions options;
    for (const auto& source : sources) {
        auto tree = open_bind_source(source, false, true, -1);
        REQUIRE(tree);
        options.slots.push_back(tree.value().get());
        trees.push_back(std::move(tree).value());
    }
    return inspect_container(spec, root, options);
}

}  // namespace

TEST_CASE("mounts are listed in the config's order, whoever made them") {
    if (!can_launch() || !kernel_lists_by_age()) {
        return;
    }
    TestRoot shared;
    shared.make_dir("dir");
    shared.make_dir("dir/sub");
    shared.make_file("note", "hello");
    const OwnMounts own;
    mount_tmpfs(shared.path() + "/dir/sub", MS_PRIVATE);
    const TestRoot root(0);
    const TestRoot mapped_root;
    const TestRoot* used = &root;
    ContainerSpec spec = container_spec(root);
    SUBCASE("as the host's root") {}
    SUBCASE("with hooks, which see the host's own /proc") {
        const std::string look =
            "grep -q tmpfs /proc/filesystems && ! grep -q -e ' /proc/f' /proc/self/mountinfo";
        spec.create_container_hooks = {hook("hooks.createContainer[0]", {"/bin/sh", "-c", look})};
    }
    SUBCASE("in a user namespace") {
        spec = mapped_spec(mapped_root);
        used = &mapped_root;
    }
    spec.mounts_listed_in_order = true;
    const auto below = [](const char* type, const char* target) {
        return file_system(type, target);
    };
    spec.mounts.insert(spec.mounts.end(),
                       {bind_slot("/m/1", kFirstFreeSlot, true),
                        below("tmpfs", "/m/2"),
                        bind_slot("/m/3", kFirstFreeSlot + 1, false),
                        bind_path("/m/4", shared.path() + "/dir"),
                        below("mqueue", "/m/5"),
                        bind_slot("/m/6", kFirstFreeSlot + 2, true)});
    const auto report = inspect_with(
        spec, *used, {shared.path() + "/dir", shared.path() + "/note", shared.path() + "/dir"});
    CHECK(listed(report) ==
          std::vector<std::string>{
              "/m/1", "/m/1/sub", "/m/2", "/m/3", "/m/4", "/m/4/sub", "/m/5", "/m/6", "/m/6/sub"});
    CHECK_FALSE(mount_at(report, "/m/6/sub")->at("propagates"));
}

TEST_CASE("mounts that are listed in order leave the host's peers alone") {
    if (!can_launch()) {
        return;
    }
    TestRoot shared(0);
    shared.make_dir("dir");
    const OwnMounts own;
    const std::string dir = shared.path() + "/dir";
    mount_tmpfs(dir, MS_SHARED);
    REQUIRE(::mkdir((dir + "/sub").c_str(), 0755) == 0);
    mount_tmpfs(dir + "/sub", MS_SHARED);
    REQUIRE(::mkdir((dir + "/sub/kept").c_str(), 0755) == 0);
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root);
    spec.mounts_listed_in_order = true;
    auto bind = bind_slot("/m/1", kFirstFreeSlot, true);
    SUBCASE("private") {}
    SUBCASE("a peer") {
        bind.propagation = {{Propagation::Kind::Shared, true}};
    }
    SUBCASE("hooked") {
        spec.create_container_hooks = {hook("hooks.createContainer[0]", {"/bin/true"})};
    }
    spec.mounts.push_back(bind);
    const auto report = inspect_with(spec, root, {dir});
    CHECK(listed(report) == std::vector<std::string>{"/m/1", "/m/1/sub"});
    CHECK(mount_at(report, "/m/1/sub")->at("propagates") == !bind.propagation.empty());
    CHECK(::access((dir + "/sub/kept").c_str(), F_OK) == 0);
}
