#include "runtime/engine/oci/exec_plan.hpp"

#include <doctest/doctest.h>

namespace warren::engine::oci {

namespace {

constexpr std::uint64_t kChown = 1U << 0U;
constexpr std::uint64_t kNetAdmin = 1U << 12U;

spec::oci::Process process_of_config() {
    spec::oci::Process process;
    process.args = {"/init"};
    process.env = {"PATH=/bin", "A=1"};
    process.cwd = "/work";
    process.user.uid = 5;
    process.user.gid = 6;
    process.user.additional_gids = {7};
    process.terminal = true;
    process.console_size = isolation::WindowSize{10, 20};
    process.capabilities.emplace();
    process.capabilities->sets.bounding = kChown;
    return process;
}

ExecRequest request_for(std::vector<std::string> args) {
    ExecRequest request;
    request.id = "c";
    request.args = std::move(args);
    return request;
}

}  // namespace

TEST_CASE("exec runs its program as the container's own process is") {
    const auto process = process_of_flags(request_for({"ls", "-l"}), process_of_config());
    REQUIRE(process);
    CHECK(process.value().args == std::vector<std::string>{"ls", "-l"});
    CHECK(process.value().cwd == "/work");
    CHECK(process.value().user.uid == 5);
    CHECK_FALSE(process.value().terminal);
    CHECK_FALSE(process.value().console_size);
}

TEST_CASE("the flags of exec change what they name") {
    auto request = request_for({"id"});
    request.user = "100:101";
    request.cwd = "/tmp";
    request.env = {"A=2", "B=3"};
    request.additional_gids = {9};
    request.terminal = true;
    request.no_new_privs = true;
    const auto process = process_of_flags(request, process_of_config());
    REQUIRE(process);
    CHECK(process.value().user.uid == 100);
    CHECK(process.value().user.gid == 101);
    CHECK(process.value().user.additional_gids == std::vector<std::uint32_t>{9});
    CHECK(process.value().cwd == "/tmp");
    CHECK(process.value().env == std::vector<std::string>{"PATH=/bin", "A=2", "B=3"});
    CHECK(process.value().terminal);
    CHECK(process.value().no_new_privileges);
}

TEST_CASE("a user without a group keeps the container's") {
    auto request = request_for({"id"});
    request.user = "8";
    const auto process = process_of_flags(request, process_of_config());
    REQUIRE(process);
    CHECK(process.value().user.uid == 8);
    CHECK(process.value().user.gid == 6);
}

TEST_CASE("a capability added for an ordinary user is ambient") {
    auto request = request_for({"id"});
    request.capabilities = {"CAP_NET_ADMIN"};
    auto process = process_of_flags(request, process_of_config());
    REQUIRE(process);
    REQUIRE(process.value().capabilities);
    CHECK(process.value().capabilities->sets.bounding == (kChown | kNetAdmin));
    CHECK(process.value().capabilities->sets.ambient == kNetAdmin);
    request.user = "0";
    process = process_of_flags(request, process_of_config());
    REQUIRE(process);
    CHECK(process.value().capabilities->sets.effective == kNetAdmin);
    CHECK(process.value().capabilities->sets.ambient == 0);
}

TEST_CASE("flags of exec that mean nothing are refused") {
    CHECK_FALSE(process_of_flags(request_for({}), process_of_config()));
    for (const char* user : {"root", "1:", ":1", "-1", "4294967295", ""}) {
        auto request = request_for({"id"});
        request.user = user;
        CAPTURE(user);
        CHECK_FALSE(process_of_flags(request, process_of_config()));
    }
    for (const char* setting : {"A", "=1", ""}) {
        auto request = request_for({"id"});
        request.env = {setting};
        CAPTURE(setting);
        CHECK_FALSE(process_of_flags(request, process_of_config()));
    }
    auto request = request_for({"id"});
    request.capabilities = {"CAP_NONE_SUCH"};
    CHECK_FALSE(process_of_flags(request, process_of_config()));
}

TEST_CASE("one directory below the container's cgroup") {
    CHECK(cgroup_of_flags({}).value().empty());
    CHECK(cgroup_of_flags({"sub/dir"}).value() == "sub/dir");
    CHECK(cgroup_of_flags({"cpu,memory:sub", "sub"}).value() == "sub");
    CHECK(cgroup_of_flags({":/"}).value() == "/");
    CHECK_FALSE(cgroup_of_flags({"cpu:a", "memory:b"}));
    CHECK_FALSE(cgroup_of_flags({"cpu:"}));
    CHECK_FALSE(cgroup_of_flags({""}));
}

}  // namespace warren::engine::oci
