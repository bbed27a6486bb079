#include "cli/oci/logger.hpp"

#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/units.hpp"
#include "tests/unit/cli_oci/support.hpp"

namespace warren::cli::oci {

namespace {

using test::Directory;
using test::Output;

}  // namespace

TEST_CASE("a JSON log of a failure is one JSON value, whatever was warned of before") {
    const Directory directory;
    const Output output;
    Console console("warren-oci", output.settings());
    Logger logger(console);
    REQUIRE(logger.open({.path = directory.path() + "/log", .json = true}).has_value());
    logger.log().warning("a trifle");
    logger.log().debug("a detail");
    logger.error("open \"x\": no such file or directory\n");
    const auto value = base::parse_json(directory.read("log"), "log").value();
    const auto reader = base::JsonReader::of(value).value();
    CHECK(reader.string("level").value() == "error");
    CHECK(reader.string("msg").value() == "open \"x\": no such file or directory\n");
    CHECK(base::parse_time(reader.string("time").value()).has_value());
    CHECK(output.err().empty());
}

TEST_CASE("warnings come into a JSON log once the verb has ended well") {
    const Directory directory;
    const Output output;
    Console console("warren-oci", output.settings());
    Logger logger(console);
    REQUIRE(logger.open({.path = directory.path() + "/log", .json = true}).has_value());
    logger.log().warning("a trifle");
    CHECK(directory.read("log").empty());
    logger.finish();
    CHECK(directory.read("log").find(R"("level":"warning","msg":"a trifle")") != std::string::npos);
}

TEST_CASE("the text form, and --debug") {
    const Directory directory;
    const Output output;
    Console console("warren-oci", output.settings());
    Logger logger(console);
    REQUIRE(logger.open({.path = directory.path() + "/log", .debug = true}).has_value());
    logger.log().debug("a \"detail\"");
    CHECK(directory.read("log").starts_with("time=\""));
    CHECK(directory.read("log").ends_with("level=debug msg=\"a \\\"detail\\\"\"\n"));
    logger.error("b");
    CHECK(directory.read("log").ends_with("level=error msg=\"b\"\n"));
}

TEST_CASE("the log is appended to, and without one warnings go to standard error") {
    const Directory directory;
    const Output output;
    Console console("warren-oci", output.settings());
    for (const char* text : {"one", "two"}) {
        Logger logger(console);
        REQUIRE(logger.open({.path = directory.path() + "/log"}).has_value());
        logger.error(text);
    }
    const std::string log = directory.read("log");
    CHECK(log.find("one") < log.find("two"));
    Logger none(console);
    REQUIRE(none.open({}).has_value());
    none.log().warning("a trifle");
    none.error("not here");
    CHECK(output.err() == "warren-oci: warning: a trifle\n");
    Logger bad(console);
    CHECK_FALSE(bad.open({.path = directory.path() + "/none/log"}).has_value());
}

}  // namespace warren::cli::oci
