#include "runtime/engine/oci/spawn.hpp"

#include <csignal>
#include <string>

#include <doctest/doctest.h>

#include "runtime/engine/oci/hooks.hpp"

namespace warren::engine::oci {

namespace {

Program shell(const std::string& text) {
    Program program;
    program.path = "/bin/sh";
    program.arguments = {"sh", "-c", text};
    return program;
}

spec::oci::Hook shell_hook(const std::string& text) {
    spec::oci::Hook hook;
    hook.path = "/bin/sh";
    hook.args = {"sh", "-c", text};
    return hook;
}

}  // namespace

TEST_CASE("a program gets its input, environment and directory") {
    auto program = shell("cat; pwd; env | sort");
    program.input = "hello\n";
    program.env = std::vector<std::string>{"ONLY=this"};
    program.directory = "/";
    const auto finished = run_program(program);
    REQUIRE(finished);
    CHECK(finished.value().status == base::ExitStatus{});
    CHECK(finished.value().output.starts_with("hello\n/\n"));
    CHECK(finished.value().output.find("ONLY=this") != std::string::npos);
    CHECK(finished.value().output.find("HOME=") == std::string::npos);
}

TEST_CASE("no descriptor of ours but those that are meant reaches a program") {
    const auto kept = base::open_at(AT_FDCWD, "/dev/null", O_RDONLY);
    const auto other = base::open_at(AT_FDCWD, "/dev/null", O_RDONLY);
    REQUIRE(kept);
    REQUIRE(other);
    const auto name = [](int fd) { return "/proc/self/fd/" + std::to_string(fd); };
    auto program = shell("readlink " + name(kept.value().get()) + "; readlink " +
                         name(other.value().get()) + " || echo none");
    program.kept = {kept.value().get()};
    const auto finished = run_program(program);
    REQUIRE(finished);
    CHECK(finished.value().output == "/dev/null\nnone\n");
}

TEST_CASE("a program that is not there is an error of its own") {
    Program program;
    program.path = "/no/such/program";
    program.arguments = {"x"};
    const auto finished = run_program(program);
    REQUIRE_FALSE(finished);
    CHECK(finished.error().error_number() == ENOENT);
}

TEST_CASE("a program that takes too long is killed") {
    auto program = shell("exec sleep 1000");
    program.timeout = std::chrono::milliseconds{50};
    const auto finished = run_program(program);
    REQUIRE(finished);
    CHECK(finished.value().timed_out);
    CHECK(finished.value().status.signaled);
}

TEST_CASE("what a program leaves in the background is not waited for") {
    // It holds the output open, for longer than a test may take.
    const auto finished = run_program(shell("sleep 86399 & echo $!"));
    REQUIRE(finished);
    CHECK(::kill(std::stoi(finished.value().output), SIGKILL) == 0);
}

TEST_CASE("of much output the end is kept") {
    const auto finished =
        run_program(shell("i=0; while [ $i -lt 4000 ]; do echo line $i; i=$((i+1)); done; exit 3"));
    REQUIRE(finished);
    CHECK(finished.value().output.size() <= 2048);
    CHECK(finished.value().output.ends_with("line 3999\n"));
    CHECK(words(finished.value()).starts_with("exited with status 3: "));
}

TEST_CASE("hooks run in order and stop at the first that fails") {
    const auto done = run_hooks(
        {shell_hook("exit 0"), shell_hook("echo sorry; exit 4")}, "/hooks/prestart", "{}", "/");
    REQUIRE_FALSE(done);
    CHECK(done.error().place() == "/hooks/prestart/1");
    CHECK(done.error().what().find("exited with status 4: sorry") != std::string::npos);
}

TEST_CASE("a hook reads the state and has nothing but its own environment") {
    auto hook =
        shell_hook("test \"$(cat)\" = '{\"id\":\"a\"}' && test \"$(env | grep -c HOME=)\" = 0");
    const auto done = run_hooks({hook}, "/hooks/poststop", "{\"id\":\"a\"}", "/");
    CHECK(done);
}

TEST_CASE("a hook that takes longer than its timeout fails") {
    auto hook = shell_hook("exec sleep 1000");
    hook.timeout = 1;
    const auto done = run_hooks({hook}, "/hooks/createRuntime", "{}", "/");
    REQUIRE_FALSE(done);
    CHECK(done.error().place() == "/hooks/createRuntime/0");
    CHECK(done.error().what().find("took longer than its 1 s") != std::string::npos);
}

}  // namespace warren::engine::oci
