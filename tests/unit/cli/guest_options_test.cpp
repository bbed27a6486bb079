#include "cli/common/guest_options.hpp"

#include <array>
#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "cli/common/signal_name.hpp"
#include "cli/common/slice_options.hpp"
#include "cli/common/wall_options.hpp"
#include "isolation/capabilities.hpp"
#include "tests/unit/cli/support.hpp"

namespace warren::cli {

namespace {

using test::check_usage;
using test::parse_verb;
using test::Words;

base::Result<spec::GuestConfig> guest(const std::string& line) {
    return parse_guest(parse_verb("create", "web1 --image debian:12 " + line).value());
}

base::Result<cgroups::Limits> slice(const std::string& line) {
    return parse_slice(parse_verb("set", "web1 " + line).value());
}

// A file of the test's own, removed with it.
class TempFile {
public:
    explicit TempFile(const std::string& text) {
        std::array<char, 32> name{"/tmp/warren-cli-XXXXXX"};
        const int fd = mkstemp(name.data());
        REQUIRE(fd >= 0);
        close(fd);
        path_ = name.data();
        std::ofstream(path_) << text;
    }

    TempFile(const TempFile&) = delete;
    TempFile& operator=(const TempFile&) = delete;
    TempFile(TempFile&&) = delete;
    TempFile& operator=(TempFile&&) = delete;

    ~TempFile() { (void)unlink(path_.c_str()); }

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

}  // namespace

TEST_CASE("a slice") {
    const cgroups::Limits limits =
        slice(
            "--cpus 1.5 --cpu-weight 300 --cpuset 0-1 --memory 512M --memory-high 400M "
            "--memory-guarantee 64M --swap 1G --pids 100 --io-weight 50 --hugepages 2M:4")
            .value();
    CHECK(limits.cpu_max_micros == cgroups::Limit::of(1'500'000));
    CHECK(limits.cpu_weight == 300);
    CHECK(limits.cpuset == "0-1");
    CHECK(limits.memory_max == cgroups::Limit::of(512ULL << 20));
    CHECK(limits.memory_high == cgroups::Limit::of(400ULL << 20));
    CHECK(limits.memory_low == 64ULL << 20);
    CHECK(limits.swap_max == cgroups::Limit::of(1ULL << 30));
    CHECK(limits.pids_max == cgroups::Limit::of(100));
    CHECK(limits.io_weight == 50);
    REQUIRE(limits.hugetlb.size() == 1);
    CHECK(limits.hugetlb[0].pages_bytes == cgroups::Limit::of(8ULL << 20));
}

TEST_CASE("limits of a disk") {
    const auto devices = base::list_dir(AT_FDCWD, "/sys/dev/block");
    for (const std::string& device : devices ? devices.value() : std::vector<std::string>()) {
        const auto limits = slice("--io-max " + device + ":rbps=10M,wiops=5");
        if (!limits) {
            continue;  // a partition, or a device without a disk
        }
        REQUIRE(limits.value().io_max.size() == 1);
        CHECK(limits.value().io_max[0].rbps == cgroups::Limit::of(10ULL << 20));
        CHECK(limits.value().io_max[0].wiops == cgroups::Limit::of(5));
        // A guest that is being made has no limits that could be taken off.
        const auto config = guest("--io-max none --io-max " + device + ":riops=7");
        REQUIRE(config.value().limits.io_max.size() == 1);
        CHECK(config.value().limits.io_max[0].riops == cgroups::Limit::of(7));
        CHECK(!config.value().limits.io_max[0].rbps);
        return;
    }
    MESSAGE("no disk here");
}

TEST_CASE("'none' takes a limit off") {
    const cgroups::Limits limits = slice(
                                       "--cpus none --cpu-weight none --cpuset none --memory none "
                                       "--memory-high none --memory-guarantee none "
                                       "--swap none --pids none --io-weight none")
                                       .value();
    CHECK(limits.cpu_max_micros == cgroups::Limit::none());
    CHECK(limits.cpu_weight == 100);
    CHECK(limits.cpuset == "");
    CHECK(limits.memory_max == cgroups::Limit::none());
    CHECK(limits.memory_high == cgroups::Limit::none());
    CHECK(limits.memory_low == 0);
    CHECK(limits.swap_max == cgroups::Limit::none());
    CHECK(limits.pids_max == cgroups::Limit::none());
    CHECK(limits.io_weight == 100);
}

TEST_CASE("no option of the slice, no limit") {
    CHECK(slice("--hostname x").value().empty());
}

TEST_CASE("bad limits name the option and the text") {
    const std::vector<std::pair<std::string, std::string>> bad{
        {"--memory", "12Q"},
        {"--memory", "-1"},
        {"--memory-high", "lots"},
        {"--memory-guarantee", "1.2.3"},
        {"--swap", "G"},
        {"--cpus", "two"},
        {"--cpus", "0"},
        {"--cpu-weight", "0"},
        {"--cpu-weight", "10001"},
        {"--io-weight", "x"},
        {"--pids", "1.5"},
        {"--cpuset", "0-"},
        {"--cpuset", "a"},
        {"--io-max", "8:0:rbps"},
        {"--hugepages", "2M"},
    };
    for (const auto& [option, text] : bad) {
        check_usage(slice(option + " " + text), {"option " + option, text});
    }
}

TEST_CASE("a machine") {
    const spec::GuestConfig config = guest(
                                         "--hostname h --init /sbin/init -e A=1 --env B= -w /srv "
                                         "--mount /a:/b:ro --mount /c:/d --label x=y=z")
                                         .value();
    CHECK(config.image == "debian:12");
    CHECK(config.kind == isolation::GuestKind::Machine);
    CHECK(config.command == Words{"/sbin/init"});
    CHECK(config.hostname == "h");
    CHECK(config.env == Words{"A=1", "B="});
    CHECK(config.cwd == "/srv");
    REQUIRE(config.mounts.size() == 2);
    CHECK(config.mounts[0] == spec::BindMount{"/a", "/b", true});
    CHECK(config.mounts[1] == spec::BindMount{"/c", "/d", false});
    CHECK(config.labels == std::map<std::string, std::string>{{"x", "y=z"}});
    CHECK(config.security == spec::Security{});
    CHECK(config.network == netns::NetworkConfig{});
}

TEST_CASE("a command makes a command guest") {
    const spec::GuestConfig config = guest("-- sleep 5").value();
    CHECK(config.kind == isolation::GuestKind::Command);
    CHECK(config.command == Words{"sleep", "5"});
    CHECK(guest("").value().kind == isolation::GuestKind::Machine);
    check_usage(guest("--init /sbin/init -- sleep 5"), {"--init"});
}

TEST_CASE("bad guest options name the option and the text") {
    check_usage(parse_guest(parse_verb("create", "web1").value()), {"option --image is missing"});
    check_usage(parse_guest(parse_verb("create", "web1 --image ../x").value()),
                {"option --image", "../x"});
    check_usage(parse_guest(parse_verb("create", Words{"web1", "--image", ""}).value()),
                {"option --image"});
    check_usage(guest("--env A"), {"option --env", "'A'"});
    check_usage(guest("--env =A"), {"option --env", "'=A'"});
    check_usage(guest("--label tier"), {"option --label", "'tier'"});
    check_usage(guest("--workdir srv"), {"option --workdir", "'srv'"});
    for (const std::string text : {"/a", "/a:b", "a:/b", "/a:/b:rx", "/a:/b:ro:x", ":/b", "/a:"}) {
        check_usage(guest("--mount " + text), {"option --mount", "'" + text + "'"});
    }
}

TEST_CASE("walls") {
    const spec::GuestConfig config = guest(
                                         "--cap-add sys_time --cap-add CAP_NET_RAW --cap-drop all "
                                         "--seccomp unconfined --device /dev/fuse "
                                         "--device /dev/kvm:rw --userns host --time host --network "
                                         "host --read-only --no-new-privileges --nesting")
                                         .value();
    const spec::Security& security = config.security;
    const std::uint64_t sys_time = isolation::parse_capability("sys_time").value();
    CHECK((security.cap_add & sys_time) == sys_time);
    CHECK(isolation::capability_names(security.cap_add).size() == 2);
    CHECK(security.cap_drop == isolation::all_capabilities());
    CHECK(security.seccomp_unconfined);
    CHECK(security.seccomp_file_text.empty());
    REQUIRE(security.devices.size() == 2);
    CHECK(security.devices[0] == spec::DeviceRequest{"/dev/fuse", "rwm"});
    CHECK(security.devices[1] == spec::DeviceRequest{"/dev/kvm", "rw"});
    CHECK(security.users == spec::Wall::Host);
    CHECK(security.time == spec::Wall::Host);
    CHECK(config.network.mode == netns::Mode::Host);
    CHECK(security.read_only_root);
    CHECK(security.no_new_privs);
    CHECK(security.nesting);
}

TEST_CASE("the default's own word changes nothing") {
    const spec::GuestConfig config = guest("--userns auto --time auto --network private").value();
    CHECK(config.security == spec::Security{});
    CHECK(config.network == netns::NetworkConfig{});
}

TEST_CASE("bad walls name the option and the text") {
    check_usage(guest("--cap-add fly"), {"option --cap-add", "fly"});
    check_usage(guest("--cap-drop 99"), {"option --cap-drop", "99"});
    check_usage(guest("--userns none"), {"option --userns", "'none'", "auto", "host"});
    check_usage(guest("--time private"), {"option --time", "'private'"});
    check_usage(guest("--network bridge"), {"option --network", "'bridge'", "private"});
    check_usage(guest("--device fuse"), {"option --device", "'fuse'"});
    check_usage(guest("--device /dev/fuse:x"), {"option --device", "'/dev/fuse:x'"});
    check_usage(guest("--device /dev/fuse:"), {"option --device"});
}

TEST_CASE("a seccomp profile is read and checked") {
    const TempFile good(R"({"defaultAction": "SCMP_ACT_ALLOW"})");
    CHECK(guest("--seccomp " + good.path())
              .value()
              .security.seccomp_file_text.find("SCMP_ACT_ALLOW") != std::string::npos);
    const TempFile broken("{");
    check_usage(guest("--seccomp " + broken.path()), {"option --seccomp", broken.path()});
    const TempFile wrong(R"({"defaultAction": "SCMP_ACT_FLY"})");
    check_usage(guest("--seccomp " + wrong.path()), {"option --seccomp", wrong.path()});
    const TempFile huge(std::string((1U << 20) + 1, ' '));
    check_usage(guest("--seccomp " + huge.path()), {"option --seccomp", huge.path()});
    check_usage(guest("--seccomp /nonexistent/profile"),
                {"option --seccomp", "/nonexistent/profile", "No such file"});
}

TEST_CASE("signals by number and name") {
    const std::vector<std::pair<std::string, int>> known{
        {"9", 9},
        {"KILL", 9},
        {"SIGKILL", 9},
        {"sigkill", 9},
        {"hup", 1},
        {"RTMIN+3", 37},
        {"SIGRTMIN+3", 37},
        {"RTMIN", 34},
        {"RTMAX", 64},
        {"RTMAX-1", 63},
        {"64", 64},
    };
    for (const auto& [text, number] : known) {
        CHECK(parse_signal(text).value() == number);
    }
    for (const std::string text :
         {"", "0", "65", "FLY", "SIG", "-9", "9x", "RTMIN-1", "RTMIN+99", "RTMAX+1", "RTMIN+"}) {
        check_usage(parse_signal(text), {"unknown signal", "'" + text + "'"});
    }
}

}  // namespace warren::cli
