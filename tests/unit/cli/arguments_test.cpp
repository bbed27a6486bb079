#include "cli/common/arguments.hpp"

#include <array>

#include "tests/unit/cli/support.hpp"

namespace warren::cli {

namespace {

using test::check_usage;
using test::Words;

constexpr std::array kOptions{
    Option{"memory", 0, "SIZE", "memory"},
    Option{"user", 'u', "USER", "user"},
    Option{"env", 'e', "K=V", "environment", true},
    Option{"all", 0, "", "all"},
    Option{"interactive", 'i', "", "interactive"},
    Option{"terminal", 't', "", "terminal"},
};
constexpr std::array kGroups{OptionGroup{"Options", kOptions}};

constexpr Operands kNames{"NAME", 0, kAnyNumber};
constexpr Operands kOneAndCommand{"NAME", 1, 1, true};
constexpr Operands kExecLike{"NAME", 1, 1, true, true};
constexpr Operands kRunLike{"CMD", 0, 0, true, true};

base::Result<Arguments> parse(const Operands& operands, const Words& words) {
    return Arguments::parse(kGroups, operands, words);
}

}  // namespace

TEST_CASE("a value stands behind its option or in it") {
    for (const Words& words : {Words{"--memory", "1G"}, Words{"--memory=1G"}}) {
        const Arguments arguments = parse(kNames, words).value();
        CHECK(arguments.value("memory") == "1G");
        CHECK(arguments.operands().empty());
    }
    for (const Words& words :
         {Words{"-u", "root"}, Words{"-uroot"}, Words{"--user=root"}, Words{"-iuroot"}}) {
        CHECK(parse(kNames, words).value().value("user") == "root");
    }
}

TEST_CASE("letters may be joined") {
    const Arguments arguments = parse(kNames, {"-it", "web1"}).value();
    CHECK(arguments.has("interactive"));
    CHECK(arguments.has("terminal"));
    CHECK_FALSE(arguments.has("all"));
    CHECK(arguments.operands() == Words{"web1"});
}

TEST_CASE("options stand among operands where nothing ends them") {
    const Arguments arguments = parse(kNames, {"a", "--all", "b", "--memory", "1G", "c"}).value();
    CHECK(arguments.operands() == Words{"a", "b", "c"});
    CHECK(arguments.has("all"));
}

TEST_CASE("behind -- stand operands, or the command, untouched") {
    CHECK(parse(kNames, {"a", "--", "--all", "-x"}).value().operands() ==
          Words{"a", "--all", "-x"});
    const Arguments create =
        parse(kOneAndCommand, {"a", "--memory", "1G", "--", "ls", "--all", "--", "-x"}).value();
    CHECK(create.operands() == Words{"a"});
    CHECK(create.command() == Words{"ls", "--all", "--", "-x"});
    CHECK_FALSE(create.has("all"));
}

TEST_CASE("exec's options end at the name") {
    for (const Words& words : {Words{"-i", "web1", "ls", "-l", "--all"},
                               Words{"-i", "web1", "--", "ls", "-l", "--all"},
                               Words{"-i", "--", "web1", "ls", "-l", "--all"}}) {
        const Arguments arguments = parse(kExecLike, words).value();
        CHECK(arguments.operands() == Words{"web1"});
        CHECK(arguments.command() == Words{"ls", "-l", "--all"});
        CHECK(arguments.has("interactive"));
        CHECK_FALSE(arguments.has("all"));
    }
}

TEST_CASE("a value that looks like a name does not end exec's options") {
    const Arguments arguments =
        parse(kExecLike, {"-u", "memory", "-e", "A=-i", "web1", "-t"}).value();
    CHECK(arguments.value("user") == "memory");
    CHECK(arguments.values("env") == Words{"A=-i"});
    CHECK(arguments.command() == Words{"-t"});
    CHECK_FALSE(arguments.has("terminal"));
}

TEST_CASE("run's options end at the first word that is none") {
    const Arguments arguments = parse(kRunLike, {"-i", "--memory", "1G", "ls", "-t"}).value();
    CHECK(arguments.command() == Words{"ls", "-t"});
    CHECK_FALSE(arguments.has("terminal"));
    CHECK(parse(kRunLike, {"-i", "--", "-t"}).value().command() == Words{"-t"});
    CHECK(parse(kRunLike, {"--", "--", "x"}).value().command() == Words{"--", "x"});
    CHECK(parse(kRunLike, {"-i"}).value().command().empty());
}

TEST_CASE("a lone dash and an empty word are operands") {
    CHECK(parse(kNames, {"-", ""}).value().operands() == Words{"-", ""});
}

TEST_CASE("repeated options keep their order") {
    CHECK(parse(kNames, {"-e", "B=1", "--env=A=2"}).value().values("env") == Words{"B=1", "A=2"});
    CHECK(parse(kNames, {"--all", "--all"}).value().has("all"));
}

TEST_CASE("bad options are named") {
    check_usage(parse(kNames, {"--bogus"}), {"unknown option --bogus"});
    check_usage(parse(kNames, {"--bogus=1"}), {"unknown option --bogus"});
    check_usage(parse(kNames, {"-x"}), {"unknown option -x"});
    check_usage(parse(kNames, {"-ix"}), {"unknown option", "x"});
    check_usage(parse(kNames, {"-1"}), {"unknown option -1"});
    check_usage(parse(kNames, {"--=x"}), {"unknown option"});
    check_usage(parse(kNames, {"--memory"}), {"option --memory needs a value"});
    check_usage(parse(kNames, {"--memory="}), {"option --memory needs a value"});
    check_usage(parse(kNames, {"-u"}), {"option", "needs a value"});
    check_usage(parse(kNames, {"--memory", "--all"}), {"option --memory needs a value"});
    check_usage(parse(kNames, {"--memory", "--", "x"}), {"option --memory needs a value"});
    check_usage(parse(kNames, {"--all=yes"}), {"option --all takes no value"});
    check_usage(parse(kNames, {"--memory", "1G", "--memory", "2G"}),
                {"option --memory is given twice"});
    check_usage(parse(kNames, {"--a\nb"}), {"unknown option"});
}

TEST_CASE("an abbreviated option is an unknown one") {
    check_usage(parse(kNames, {"--mem", "1G"}), {"unknown option --mem"});
    check_usage(parse(kNames, {"--inter"}), {"unknown option --inter"});
    check_usage(parse(kNames, {"--MEMORY", "1G"}), {"unknown option --MEMORY"});
    check_usage(parse(kNames, {"-memory", "1G"}), {"unknown option"});
}

TEST_CASE("operands are counted") {
    check_usage(parse(kOneAndCommand, {}), {"NAME is missing"});
    check_usage(parse(kOneAndCommand, {"a", "ls"}), {"unexpected argument 'ls'", "behind --"});
    check_usage(parse(kExecLike, {"-i"}), {"NAME is missing"});
    check_usage(Arguments::parse(kGroups, {}, {"x"}), {"unexpected argument 'x'"});
}

TEST_CASE("--help wins over missing operands") {
    CHECK(parse(kOneAndCommand, {"--help"}).value().has("help"));
    CHECK(parse(kExecLike, {"-i", "--help"}).value().has("help"));
}

TEST_CASE("literal words of a value") {
    CHECK(literal_words("auto|host") == std::vector<std::string_view>{"auto", "host"});
    CHECK(literal_words("FILE|unconfined") == std::vector<std::string_view>{"unconfined"});
    CHECK(literal_words("SIZE").empty());
    CHECK(literal_words("").empty());
}

}  // namespace warren::cli
