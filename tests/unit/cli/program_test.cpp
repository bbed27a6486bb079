#include "tests/unit/cli/output.hpp"
#include "tests/unit/cli/support.hpp"

namespace warren::cli {

namespace {

using test::Output;
using test::Words;
using test::words_of;

struct Ran {
    int code = 0;
    std::string out;
    std::string err;
};

Ran run_words(const Words& words, bool is_root = false) {
    const Output output;
    Console console("warren", output.settings());
    const Environment none = [](const std::string&) { return std::optional<std::string>(); };
    const int code = run_program(words, console, none, "/", is_root);
    return {code, output.out(), output.err()};
}

Ran run_line(const std::string& line, bool is_root = false) {
    return run_words(words_of(line), is_root);
}

// Exit 2 (or 125), nothing on standard output, and one line that begins so and has `part` in it.
void check_refused(const Ran& ran, int code, const std::string& begins, const std::string& part) {
    INFO(ran.err);
    CHECK(ran.code == code);
    CHECK(ran.out.empty());
    CHECK(ran.err.starts_with("warren: " + begins));
    CHECK(ran.err.find(part) != std::string::npos);
    CHECK(ran.err.find('\n') == ran.err.size() - 1);
}

}  // namespace

TEST_CASE("version") {
    for (const std::string line : {"--version", "version"}) {
        const Ran ran = run_line(line);
        CHECK(ran.code == 0);
        CHECK(ran.out.starts_with("warren version "));
        CHECK(ran.err.empty());
    }
}

TEST_CASE("help needs no root, and has an example for every verb") {
    CHECK(run_line("--help").code == 0);
    CHECK(run_line("help").out == run_line("--help").out);
    CHECK(run_line("--help start").out == run_line("start --help").out);
    for (const VerbGroup& group : verb_groups()) {
        for (const Verb* verb : group.verbs) {
            const std::string name(verb->name);
            const Ran ran = run_line(name + " --help");
            CAPTURE(name);
            CHECK(ran.code == 0);
            CHECK(ran.out.find("Usage: warren " + name) != std::string::npos);
            CHECK(ran.out.find("Example:\n  ") != std::string::npos);
            CHECK(run_line("help " + name).out == ran.out);
            CHECK(run_line("help").out.find("\n  " + name + " ") != std::string::npos);
        }
    }
    CHECK(run_line("image --help").out == run_line("help image").out);
    check_refused(run_line("help nonsense"), 2, "help: ", "'nonsense'");
    check_refused(run_line("help start stop"), 2, "help: ", "'stop'");
}

TEST_CASE("every verb has a handler, and lines that fit") {
    for (const VerbGroup& group : verb_groups()) {
        for (const Verb* verb : group.verbs) {
            CAPTURE(verb->name);
            CHECK((verb->handler != nullptr));
            CHECK(find_verb(verb->name) == verb);
            const std::string help = run_line(std::string(verb->name) + " --help").out;
            std::size_t start = 0;
            while (start < help.size()) {
                const std::size_t end = help.find('\n', start);
                INFO(help.substr(start, end - start));
                CHECK(end - start <= 100);
                start = end + 1;
            }
        }
    }
}

TEST_CASE("a wrong command line is refused in one line") {
    check_refused(run_line(""), 2, "", "verb");
    check_refused(run_line("--bogus list"), 2, "", "--bogus");
    check_refused(run_line("frobnicate"), 2, "", "'frobnicate'");
    check_refused(run_line("image"), 2, "image: ", "build");
    check_refused(run_line("image frobnicate"), 2, "", "'image frobnicate'");
    check_refused(run_line("list --bogus"), 2, "list: ", "--bogus");
    check_refused(run_line("list extra"), 2, "list: ", "'extra'");
    check_refused(run_line("create"), 2, "create: ", "NAME is missing");
    check_refused(run_words({"frob\nnicate"}), 2, "", "frob");
    check_refused(run_words({"--root", "", "list"}), 2, "", "--root");
}

TEST_CASE("a wrong value is refused in one line before anything is opened") {
    check_refused(run_line("create web1 --image x --memory 12Q", true), 2, "create", "12Q");
    check_refused(run_words({"create", "a\nb", "--image", "x"}, true), 2, "create", "a\\x0ab");
    check_refused(run_line("start ../x", true), 2, "start", "../x");
    check_refused(run_line("start", true), 2, "start", "--all");
    check_refused(run_line("list -o wings", true), 2, "list: ", "'wings'");
    check_refused(run_line("kill --signal FLY web1", true), 2, "kill", "'FLY'");
    check_refused(run_line("image build gentoo", true), 2, "image build: ", "'gentoo'");
    check_refused(run_line("set web1", true), 2, "set web1: ", "nothing to set");
}

TEST_CASE("run, exec and enter answer 125 for all that is warren's") {
    check_refused(run_line("run --bogus"), 125, "run: ", "--bogus");
    check_refused(run_line("exec"), 125, "exec: ", "NAME is missing");
    check_refused(run_line("exec web1", true), 125, "exec web1: ", "CMD is missing");
    check_refused(run_line("run ls", true), 125, "run: ", "--image");
    check_refused(run_line("enter web1"), 125, "must be run as root", "sudo warren enter web1");
}

TEST_CASE("root is needed for all but help and version") {
    check_refused(run_line("list"), 1, "must be run as root (try: sudo warren list)", "");
    check_refused(run_line("--json start web1 --wait"),
                  1,
                  "must be run as root",
                  "sudo warren --json start web1 --wait");
}

TEST_CASE("--dry-run is refused where it would do the work") {
    check_refused(run_line("--dry-run stop web1", true), 2, "stop: ", "--dry-run");
    check_refused(run_line("stop web1 --dry-run", true), 2, "stop: ", "--dry-run");
}

}  // namespace warren::cli
