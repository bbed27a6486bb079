#include "tests/unit/spec/support.hpp"

using namespace warren::spec;
using namespace warren::spec::test;

namespace {

GuestConfig with_env(std::vector<std::string> env) {
    auto config = command_guest();
    config.env = std::move(env);
    return config;
}

GuestConfig with_hostname(std::string hostname) {
    auto config = machine();
    config.hostname = std::move(hostname);
    return config;
}

GuestConfig with_label(const std::string& key, const std::string& value) {
    auto config = machine();
    config.labels[key] = value;
    return config;
}

}  // namespace

TEST_CASE("a guest's and an image's name") {
    auto config = machine();
    CHECK(places(check_name, config).empty());
    CHECK(places(check_image, config).empty());
    for (const char* bad : {"", "../x", "a/b", "-a", "a\nb", "a:b"}) {
        config.name = bad;
        CHECK(places(check_name, config) == "NAME");
    }
    config.name = std::string(300, 'a');
    CHECK(places(check_name, config) == "NAME");
    for (const char* bad : {"", "..", "a/b", ":12"}) {
        config.image = bad;
        CHECK(places(check_image, config) == "--image");
    }
}

TEST_CASE("a host name is one of RFC 1123, or absent") {
    const auto label63 = std::string(63, 'a');
    for (const std::string& good : {std::string(),
                                    std::string("a"),
                                    std::string("web-1.example"),
                                    std::string("3com"),
                                    label63}) {
        CHECK(places(check_hostname, with_hostname(good)).empty());
    }
    for (const std::string& bad : {std::string("-a"),
                                   std::string("a-"),
                                   std::string("a..b"),
                                   std::string("a."),
                                   std::string(".a"),
                                   std::string("a_b"),
                                   std::string("a b"),
                                   std::string("\xc3\xa4"),
                                   std::string(64, 'a'),
                                   label63 + ".a"}) {
        CHECK(places(check_hostname, with_hostname(bad)) == "--hostname");
    }
}

TEST_CASE("a command is there, whole and not too long") {
    auto config = command_guest();
    CHECK(places(check_command, config).empty());
    config.command = {};
    CHECK(places(check_command, config) == "CMD");
    config.command = {""};
    CHECK(places(check_command, config) == "CMD");
    config.command = {"sh", "", std::string("a\0b", 3), "\xfe"};
    CHECK(places(check_command, config) == "ARG 2; ARG 3");
    config.command = {"sh", std::string(131070, 'a')};
    CHECK(places(check_command, config).empty());
    config.command = {"sh", std::string(131071, 'a')};
    CHECK(places(check_command, config) == "ARG 1");
    // 12 of 131,070 bytes, each with its NUL and pointer, stay below 1.5 MiB; one more does not.
    config.command = std::vector<std::string>(11, std::string(131070, 'a'));
    CHECK(places(check_command, config).empty());
    config.command.resize(13, std::string(131070, 'a'));
    CHECK(places(check_command, config) == "CMD");
}

TEST_CASE("many short arguments cost their pointers too") {
    auto config = command_guest();
    config.command.assign(150'000, "a");
    CHECK(places(check_command, config).empty());
    config.command.assign(160'000, "a");
    CHECK(places(check_command, config) == "CMD");
}

TEST_CASE("a machine's init is an absolute path") {
    auto config = machine();
    CHECK(places(check_command, config).empty());
    config.command = {"init"};
    CHECK(text_of(check_command, config) == "\"init\" is not an absolute path");
    config.command = {};
    CHECK(places(check_command, config) == "--init");
    config = machine();
    config.init_system = "../x";
    CHECK(places(check_init_system, config) == "--init");
    config.init_system = "";
    CHECK(places(check_init_system, config).empty());
}

TEST_CASE("only a command can have a terminal") {
    auto config = command_guest();
    config.terminal = true;
    CHECK(places(check_terminal, config).empty());
    config = machine();
    CHECK(places(check_terminal, config).empty());
    config.terminal = true;
    CHECK(places(check_terminal, config) == "-t");
}

TEST_CASE("the working directory is absolute") {
    auto config = command_guest();
    CHECK(places(check_cwd, config).empty());
    config.cwd = "srv";
    CHECK(places(check_cwd, config) == "--workdir");
    config.cwd = "";
    CHECK(places(check_cwd, config) == "--workdir");
}

TEST_CASE("environment entries are KEY=VALUE") {
    CHECK(places(check_env, with_env({"A=1", "B=", "C=a=b", "D=two\nlines", "a.b=\xc3\xa4"}))
              .empty());
    CHECK(places(check_env, with_env({"A=1", "B", "=x", "", std::string("C=\0", 3), "D=\xff"})) ==
          "--env 2; --env 3; --env 4; --env 5; --env 6");
    CHECK(text_of(check_env, with_env({"PATH"})) == "expected KEY=VALUE, found \"PATH\"");
}

TEST_CASE("the environment and the command share the kernel's bound") {
    const auto big = "A=" + std::string(131068, 'a');
    CHECK(places(check_env, with_env({big})).empty());
    CHECK(places(check_env, with_env({big + "a"})) == "--env 1");
    auto config = with_env(std::vector<std::string>(6, big));
    config.command = std::vector<std::string>(5, std::string(131070, 'a'));
    CHECK(places(check_env, config).empty());
    config.command = std::vector<std::string>(7, std::string(131070, 'a'));
    CHECK(places(check_command, config).empty());
    CHECK(places(check_env, config) == "--env");
}

TEST_CASE("labels are bounded in form and number") {
    CHECK(places(check_labels, with_label("com.example/tier_1-a", "front end \xc3\xa4")).empty());
    CHECK(places(check_labels, with_label(std::string(63, 'k'), std::string(4096, 'v'))).empty());
    CHECK(places(check_labels, with_label(std::string(64, 'k'), "v")) ==
          "--label " + std::string(63, 'k'));
    for (const char* key : {"", "a b", "a=b", "\xc3\xa4", "a\n"}) {
        CHECK(places(check_labels, with_label(key, "v")) == "--label " + std::string(key));
    }
    CHECK(text_of(check_labels, with_label("k", std::string(4097, 'v'))) ==
          "the value is longer than 4096 bytes");
    for (const char* value : {"a\nb", "\x1b[2J", "\x7f", "\xc2\x9b"}) {
        CHECK(text_of(check_labels, with_label("k", value)) == "the value has a control character");
    }
    auto config = machine();
    for (int i = 0; i < 64; ++i) {
        config.labels["k" + std::to_string(i)] = "v";
    }
    CHECK(places(check_labels, config).empty());
    config.labels["one-more"] = "v";
    CHECK(text_of(check_labels, config) == "more than 64 labels");
}
