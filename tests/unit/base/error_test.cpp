#include <doctest/doctest.h>

#include "base/excerpt.hpp"
#include "base/hash.hpp"
#include "base/result.hpp"
#include "base/scope_exit.hpp"
#include "base/utf8.hpp"

using namespace warren::base;

namespace {

Result<std::unique_ptr<int>> make(bool works) {
    if (!works) {
        return errno_error(ENOENT, "open /x");
    }
    return std::make_unique<int>(7);
}

Result<int> use(bool works) {
    const auto value = TRY(make(works));
    return *value + 1;
}

Status check(bool works) {
    TRY(use(works));
    return ok();
}

}  // namespace

TEST_CASE("TRY hands on values that only move, and errors") {
    CHECK(use(true).value() == 8);
    CHECK(check(true).has_value());
    const auto failed = check(false);
    REQUIRE(!failed);
    CHECK(failed.error().error_number() == ENOENT);
    CHECK(failed.error().kind() == ErrorKind::Failed);
}

TEST_CASE("an error describes itself on one line, outermost context first") {
    Error error = errno_error(EPERM, "mount proc on /proc")
                      .with_place("mounts[3]")
                      .with_context("launch")
                      .with_context("create web1");
    CHECK(error.describe() ==
          "create web1: launch: mounts[3]: mount proc on /proc: Operation not permitted");
    error.add_secondary(errno_error(EBUSY, "remove cgroup"));
    error.add_secondary(fail("unmount"));
    CHECK(error.describe().ends_with(
        "Operation not permitted (also: remove cgroup: Device or resource busy; unmount)"));
    CHECK(errno_error(99999, "x").describe() == "x: error 99999");
    CHECK(usage_error("no guest \"a\nb\"").describe() == "no guest \"a\\x0ab\"");
}

TEST_CASE("errno_error takes errno and keeps it while descriptors close") {
    errno = EACCES;
    CHECK(errno_error("x").error_number() == EACCES);
}

TEST_CASE("with_context leaves values alone") {
    CHECK(with_context(use(true), "outer").value() == 8);
    CHECK(with_context(use(false), "outer").error().describe() ==
          "outer: open /x: No such file or directory");
}

TEST_CASE("printable keeps text and escapes what acts on a terminal") {
    CHECK(printable("plain text, \"quoted\" ~") == "plain text, \"quoted\" ~");
    CHECK(printable("grün 日本 🙂") == "grün 日本 🙂");
    CHECK(printable("a\tb\nc\x7f") == "a\\x09b\\x0ac\\x7f");
    CHECK(printable("\x1b[31m") == "\\x1b[31m");
    CHECK(printable(std::string_view("nul\0!", 5)) == "nul\\x00!");
    CHECK(printable("\xc2\x9b"
                    "2J") == "\\xc2\\x9b2J");  // C1 CSI
    CHECK(printable("\xe2\x80\xae"
                    "txt") == "\\xe2\\x80\\xaetxt");                 // right-to-left override
    CHECK(printable("\xe2\x80\xa8") == "\\xe2\\x80\\xa8");           // line separator
    CHECK(printable("\xff\xfe") == "\\xff\\xfe");                    // never in UTF-8
    CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");                    // overlong '/'
    CHECK(printable("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");           // overlong
    CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // surrogate
    CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
    CHECK(printable("x\xe2\x82") == "x\\xe2\\x82");                  // cut off
    CHECK(printable("\xe2\x82z") == "\\xe2\\x82z");                  // the 'z' is not swallowed
    CHECK(printable("").empty());
}

TEST_CASE("decode_utf8 finds the edges of each length") {
    CHECK(decode_utf8("\xc2\x80").code_point == 0x80);
    CHECK(decode_utf8("\xdf\xbf").code_point == 0x7ff);
    CHECK(decode_utf8("\xe0\xa0\x80").code_point == 0x800);
    CHECK(decode_utf8("\xef\xbf\xbf").code_point == 0xffff);
    CHECK(decode_utf8("\xf0\x90\x80\x80").code_point == 0x10000);
    CHECK(decode_utf8("\xf4\x8f\xbf\xbf").code_point == 0x10ffff);
    CHECK(decode_utf8("\xf4\x8f\xbf\xbf").length == 4);
    CHECK(!decode_utf8("\xf0\x8f\xbf\xbf").valid);
}

TEST_CASE("fnv1a gives the published values") {
    static_assert(fnv1a("") == 0xcbf29ce484222325U);
    static_assert(fnv1a("a") == 0xaf63dc4c8601ec8cU);
    static_assert(fnv1a("foobar") == 0x85944171f73967e8U);
    CHECK(fnv1a("bar", fnv1a("foo")) == fnv1a("foobar"));
}

TEST_CASE("ScopeExit runs unless dismissed") {
    int runs = 0;
    {
        const ScopeExit run([&runs] { ++runs; });
        ScopeExit not_run([&runs] { ++runs; });
        not_run.dismiss();
    }
    CHECK(runs == 1);
}

TEST_CASE("an excerpt is bounded, says what it leaves out, and cuts no character") {
    CHECK(excerpt("short\n") == "short\\x0a");
    CHECK(excerpt(std::string(200, 'n')) == std::string(200, 'n'));
    CHECK(excerpt(std::string(5000, 'n')) == std::string(200, 'n') + "... (4800 bytes more)");
    CHECK(excerpt("abcdef", 4) == "abcd... (2 bytes more)");
    CHECK(excerpt("ab\xe6\x97\xa5", 4) == "ab... (3 bytes more)");
    CHECK(excerpt("a\xf0\x9f\x99\x82", 4) == "a... (4 bytes more)");
    // What is no character is not walked back over.
    CHECK(excerpt(std::string(6, '\x80'), 4) == "\\x80... (5 bytes more)");
    CHECK(excerpt("x", 0) == "... (1 bytes more)");
}
