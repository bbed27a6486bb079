#include <array>
#include <map>

#include "cli/vps/app.hpp"
#include "tests/unit/cli/support.hpp"

namespace warren::cli {

namespace {

using test::check_usage;
using test::Words;

base::Result<Globals> globals(const Words& words,
                              const std::map<std::string, std::string>& variables = {}) {
    const std::array groups{kGlobalGroup};
    const Arguments arguments = Arguments::parse(groups, {"VERB", 0, 0, true, true}, words).value();
    const Environment environment = [&](const std::string& name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    return parse_globals(arguments, environment, "/here");
}

}  // namespace

TEST_CASE("the directories have defaults") {
    const Globals g = globals({}).value();
    CHECK(g.paths.store.root == "/var/lib/warren");
    CHECK(g.paths.store.run == "/run/warren");
    CHECK(g.paths.cgroup_parent.empty());
    CHECK_FALSE(g.json);
    CHECK_FALSE(g.quiet);
    CHECK_FALSE(g.dry_run);
    CHECK(g.log_level == base::LogLevel::Error);
}

TEST_CASE("options win over the environment") {
    const std::map<std::string, std::string> variables{
        {"WARREN_ROOT", "/e/root"}, {"WARREN_RUN", "/e/run"}, {"WARREN_CGROUP_PARENT", "/e/cg"}};
    const Globals inherited = globals({}, variables).value();
    CHECK(inherited.paths.store.root == "/e/root");
    CHECK(inherited.paths.store.run == "/e/run");
    CHECK(inherited.paths.cgroup_parent == "/e/cg");
    const Globals given = globals({"--root", "/o/root", "--run=/o/run"}, variables).value();
    CHECK(given.paths.store.root == "/o/root");
    CHECK(given.paths.store.run == "/o/run");
    CHECK(globals({}, {{"WARREN_ROOT", ""}}).value().paths.store.root == "/var/lib/warren");
}

TEST_CASE("a root of its own has volatile state of its own") {
    const std::string a = globals({"--root", "/a"}).value().paths.store.run;
    const std::string b = globals({"--root", "/b"}).value().paths.store.run;
    CHECK(a.starts_with("/run/warren-"));
    CHECK(a != b);
    CHECK(globals({"--root", "/a/"}).value().paths.store.run == a);
    CHECK(globals({"--root", "/var/lib/warren/"}).value().paths.store.run == "/run/warren");
    CHECK(globals({"--root", "/a", "--run", "/r"}).value().paths.store.run == "/r");
}

TEST_CASE("relative directories are below the working directory") {
    CHECK(globals({"--root", "data"}).value().paths.store.root == "/here/data");
    CHECK(globals({"--run", "r/"}).value().paths.store.run == "/here/r");
}

TEST_CASE("flags and the log level") {
    const Globals g = globals({"--json", "--quiet", "--dry-run", "--log-level", "debug"}).value();
    CHECK(g.json);
    CHECK(g.quiet);
    CHECK(g.dry_run);
    CHECK(g.log_level == base::LogLevel::Debug);
    check_usage(globals({"--log-level", "loud"}), {"--log-level", "'loud'", "debug"});
    check_usage(globals({"--root", ""}), {"--root", "empty"});
}

}  // namespace warren::cli
