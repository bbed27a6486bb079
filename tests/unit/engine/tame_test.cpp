#include "runtime/engine/tame.hpp"

#include <doctest/doctest.h>

namespace warren::engine {

TEST_CASE("text and colours pass") {
    TerminalTamer tamer;
    CHECK(tamer.tame("plain \t\r\n\xc3\xa4") == "plain \t\r\n\xc3\xa4");
    CHECK(tamer.tame("\x1b[0;32m OK \x1b[0m\x1b[m") == "\x1b[0;32m OK \x1b[0m\x1b[m");
}

TEST_CASE("a colour may be cut in two") {
    TerminalTamer tamer;
    CHECK(tamer.tame("a\x1b[3").append(tamer.tame("1mb")) == "a\x1b[31mb");
}

TEST_CASE("what commands the terminal is shown as text") {
    TerminalTamer tamer;
    CHECK(tamer.tame("\x1b]0;title\x07") == "\\x1b]0;title\\x07");
    CHECK(tamer.tame("\x1b[2J") == "\\x1b[2J");
    CHECK(tamer.tame("\x1b[6n") == "\\x1b[6n");
    CHECK(tamer.tame("\x1b\x1b[31mx") == "\\x1b\x1b[31mx");
    CHECK(tamer.tame("\x08\x7f") == "\\x08\\x7f");
    CHECK(tamer.tame("\x1b[" + std::string(64, '1') + "m").find('\x1b') == std::string::npos);
}

}  // namespace warren::engine
