// A guest's output on its way to somebody's terminal: colours pass, everything else that could command the terminal
// (cursor, titles, answers typed back, device control) is shown as text. Pure; keeps state between blocks.
#pragma once

#include <string>
#include <string_view>

namespace warren::engine {

class TerminalTamer {
public:
    // The tame form of the next block. An escape sequence may be cut by the block's end.
    [[nodiscard]] std::string tame(std::string_view block);

private:
    std::string sequence_;  // an unfinished ESC [ digits ;
};

}  // namespace warren::engine
