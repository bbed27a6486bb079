#include <nlohmann/json.hpp>

#include "cli/oci/help.hpp"
#include "tests/unit/cli_oci/support.hpp"

namespace warren::cli::oci {

namespace {

using test::Directory;
using test::Ran;
using test::run_line;
using test::run_words;

// The code, nothing on standard output, and one line that begins so and has `part` in it.
void check_refused(const Ran& ran, int code, const std::string& begins, const std::string& part) {
    INFO(ran.err);
    CHECK(ran.code == code);
    CHECK(ran.out.empty());
    CHECK(ran.err.starts_with("warren-oci: " + begins));
    CHECK(ran.err.find(part) != std::string::npos);
    CHECK(ran.err.find('\n') == ran.err.size() - 1);
}

}  // namespace

TEST_CASE("version, as dockerd and podman read it") {
    for (const std::string line : {"--version", "-v", "--root /r --version", "--version list"}) {
        const Ran ran = run_line(line);
        CHECK(ran.code == 0);
        CHECK(ran.out.starts_with("warren-oci version "));
        CHECK(ran.out.find("\ncommit: ") != std::string::npos);
        CHECK(ran.out.find("\nspec: 1.2") != std::string::npos);
        CHECK(ran.err.empty());
    }
}

TEST_CASE("help") {
    CHECK(run_line("").out == overview_help());
    CHECK(run_line("--help").out == overview_help());
    CHECK(run_line("-h").out == overview_help());
    CHECK(run_line("help").out == overview_help());
    for (const Verb* verb : verbs()) {
        const std::string name(verb->name);
        CAPTURE(name);
        const Ran ran = run_line(name + " --help");
        CHECK(ran.code == 0);
        CHECK(ran.out == verb_help(*verb));
        CHECK(ran.out.find("Usage: warren-oci " + name) != std::string::npos);
        CHECK(ran.out.find("\nExample:\n  warren-oci " + name) != std::string::npos);
        CHECK(run_line(name + " -h").out == ran.out);
        CHECK(run_line("help " + name).out == ran.out);
        CHECK(run_line("--help " + name).out == ran.out);
        CHECK(overview_help().find("\n  " + name + " ") != std::string::npos);
        CHECK((verb->handler != nullptr));
        for (std::size_t start = 0, end = 0; start < ran.out.size(); start = end + 1) {
            end = ran.out.find('\n', start);
            INFO(ran.out.substr(start, end - start));
            CHECK(end - start <= 100);
        }
    }
    check_refused(run_line("help nonsense"), 1, "help: ", "'nonsense'");
}

TEST_CASE("a wrong command line is refused in one line, by 1 as runc does") {
    check_refused(run_line("--bogus list"), 1, "", "--bogus");
    check_refused(run_line("frobnicate c1"), 1, "", "'frobnicate'");
    check_refused(run_line("init"), 1, "", "'init'");
    check_refused(run_line("create --bogus c1"), 1, "create: ", "--bogus");
    check_refused(run_line("create"), 1, "create: ", "ID");
    check_refused(run_line("exec c1"), 1, "exec c1: ", "--process");
    check_refused(run_line("kill c1 BOGUS"), 1, "kill c1: ", "'BOGUS'");
    check_refused(run_line("list --format xml"), 1, "list: ", "'xml'");
    check_refused(run_words({"frob\nnicate"}), 1, "", "frob");
    check_refused(run_line("--log /nowhere/log list"), 1, "--log: ", "/nowhere/log");
}

TEST_CASE("a wrong command line comes into the log too") {
    const Directory directory;
    const std::string log = directory.path() + "/log";
    CHECK(run_line("--log " + log + " --log-format json create --bogus c1").code == 1);
    CHECK(directory.read("log").find(R"({"level":"error","msg":"unknown option --bogus)") == 0);
}

TEST_CASE("containers that do not exist") {
    const Directory directory;
    const std::string root = "--root " + directory.path() + "/root ";
    for (const char* verb :
         {"state", "start", "kill", "delete", "pause", "resume", "ps", "update", "events"}) {
        CAPTURE(verb);
        const Ran ran = run_line(root + verb + " c1");
        check_refused(ran, 1, std::string(verb) + " c1: ", "does not exist");
    }
    check_refused(run_line(root + "exec c1 ls"), 255, "exec c1: ", "does not exist");
    CHECK(run_line(root + "delete --force c1").code == 0);
    const Ran empty = run_line(root + "list");
    CHECK(empty.code == 0);
    CHECK(empty.out == "ID  PID  STATUS  BUNDLE  CREATED  OWNER\n");
    CHECK(run_line(root + "list --format=json").out == "[]\n");
    CHECK(run_line(root + "list -q").out.empty());
}

TEST_CASE("spec writes once") {
    const Directory directory;
    CHECK(run_line("spec --bundle " + directory.path()).code == 0);
    const auto config = base::parse_json(directory.read("config.json"), "config.json");
    CHECK(config.has_value());
    check_refused(run_line("spec -b " + directory.path()), 1, "spec: ", "config.json");
}

TEST_CASE("features is JSON with the versions") {
    const Ran ran = run_line("features");
    CHECK(ran.code == 0);
    const auto value = base::parse_json(ran.out, "features").value();
    const auto reader = base::JsonReader::of(value).value();
    CHECK(reader.string("ociVersionMax").value().starts_with("1.2"));
}

}  // namespace warren::cli::oci
