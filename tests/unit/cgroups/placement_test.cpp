#include "cgroups/placement.hpp"

#include <doctest/doctest.h>

using namespace warren;
using namespace warren::cgroups;

namespace {

Host a_host(bool systemd) {
    Host host;
    host.mode = HostMode::Unified;
    host.mount_point = "/sys/fs/cgroup";
    host.own_path = "/user.slice/session-1.scope";
    host.systemd = systemd;
    return host;
}

PlacementRequest request(const std::string& path, bool systemd = false, bool rootless = false) {
    PlacementRequest out;
    out.cgroups_path = path;
    out.id = "box+1";
    out.systemd = systemd;
    out.rootless = rootless;
    return out;
}

std::string path_of(const std::string& path, bool rootless = false) {
    const auto place = Placement::resolve(a_host(false), request(path, false, rootless));
    return place ? place.value().record().path : "refused " + place.error().place();
}

// "SLICE UNIT PATH"
std::string scope_of(const std::string& path, bool rootless = false) {
    const auto place = Placement::resolve(a_host(true), request(path, true, rootless));
    if (!place) {
        return "refused " + place.error().place();
    }
    const auto& record = place.value().record();
    CHECK(record.user_manager == rootless);
    return place.value().slice() + " " + record.scope + " " + record.path;
}

}  // namespace

TEST_CASE("a path is below the mount point") {
    CHECK(path_of("/a/b") == "/a/b");
    CHECK(path_of("a/b") == "/a/b");
    CHECK(path_of("//a/./b//") == "/a/b");
    CHECK(path_of("") == "/box+1");
    CHECK(path_of("/kubepods/pod:1/c:2") == "/kubepods/pod:1/c:2");
    CHECK(path_of("/a..b") == "/a..b");
}

TEST_CASE("without root a relative path is beside our own cgroup") {
    CHECK(path_of("/a/b", true) == "/a/b");
    CHECK(path_of("a/b", true) == "/user.slice/a/b");
    CHECK(path_of("", true) == "/user.slice/box+1");
}

TEST_CASE("a path that leads out, or nowhere, is refused") {
    for (const char* bad : {"/..",
                            "/a/../b",
                            "..",
                            "a/..",
                            "/",
                            ".",
                            "//",
                            "/a\nb",
                            "/a\x01",
                            "machine.slice:libpod:1"}) {
        CAPTURE(bad);
        CHECK(path_of(bad) == "refused /linux/cgroupsPath");
    }
}

TEST_CASE("systemd's form names a scope in a slice") {
    CHECK(scope_of("machine.slice:libpod:12ab") ==
          "machine.slice libpod-12ab.scope /machine.slice/libpod-12ab.scope");
    CHECK(scope_of("machine-a-b.slice:libpod:12ab") ==
          "machine-a-b.slice libpod-12ab.scope "
          "/machine.slice/machine-a.slice/machine-a-b.slice/libpod-12ab.scope");
    CHECK(scope_of(":docker:12ab") ==
          "system.slice docker-12ab.scope /system.slice/docker-12ab.scope");
    CHECK(scope_of("system.slice::12ab") == "system.slice 12ab.scope /system.slice/12ab.scope");
    CHECK(scope_of("-.slice:x:y") == "-.slice x-y.scope /x-y.scope");
    CHECK(scope_of("") ==
          "system.slice warren-oci-box\\x2b1.scope /system.slice/warren-oci-box\\x2b1.scope");
}

TEST_CASE("without root the scope is the user's own systemd's, which knows where it is") {
    CHECK(scope_of("", true) == "user.slice warren-oci-box\\x2b1.scope ");
    CHECK(scope_of("a.slice:b:c", true) == "a.slice b-c.scope ");
}

TEST_CASE("what is no slice and no scope is refused") {
    for (const char* bad : {"/a/b",
                            "a",
                            "a:b",
                            "a:b:c",
                            "a.slice:b:c:d",
                            "a.slice:b:",
                            "a.slice:b:../c",
                            "a.slice:b:c d",
                            "a/b.slice:c:d",
                            ".slice:b:c",
                            "a-.slice:b:c",
                            "-a.slice:b:c",
                            "a--b.slice:c:d",
                            "...slice/:b:c",
                            "a.slice:b:c.slice"}) {
        CAPTURE(bad);
        CHECK(scope_of(bad) == "refused /linux/cgroupsPath");
    }
    CHECK(scope_of("a.slice:b:" + std::string(300, 'c')) == "refused /linux/cgroupsPath");
}

TEST_CASE("a scope needs systemd, and any cgroup a v2 tree") {
    const auto scope = Placement::resolve(a_host(false), request("", true));
    REQUIRE(!scope);
    CHECK(scope.error().kind() == base::ErrorKind::Unsupported);
    const auto path = Placement::resolve(Host(), request("/a"));
    REQUIRE(!path);
    CHECK(path.error().kind() == base::ErrorKind::Unsupported);
}

TEST_CASE("annotations become properties of the scope, or are refused at their place") {
    auto wish = request("", true);
    wish.annotations["org.systemd.property.TimeoutStopSec"] = "5";
    wish.annotations["io.podman.other"] = "what it is";
    CHECK(Placement::resolve(a_host(true), wish));
    for (const char* name : {"PIDs", "Slice", "Delegate", "no/name", "X"}) {
        CAPTURE(name);
        auto bad = wish;
        const auto key = std::string("org.systemd.property.") + name;
        bad.annotations[key] = "true";
        const auto place = Placement::resolve(a_host(true), bad);
        REQUIRE(!place);
        CHECK(place.error().place().starts_with("/annotations/org.systemd.property."));
        // Without systemd nobody looks at them.
        bad.systemd = false;
        CHECK(Placement::resolve(a_host(true), bad));
    }
}
