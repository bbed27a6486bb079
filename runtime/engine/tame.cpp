#include "runtime/engine/tame.hpp"

namespace warren::engine {

namespace {

constexpr char kEscape = '\x1b';
constexpr std::size_t kColourBytesMax = 32;

void show(std::string& out, char c) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    out += "\\x";
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
}

bool is_plain(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\n' || c == '\t' || c == '\r' || (byte >= 0x20 && byte != 0x7f);
}

// Whether `text` can still become ESC [ digits ; ... m.
bool may_become_colour(std::string_view text) {
    if (text.size() > kColourBytesMax || (text.size() > 1 && text[1] != '[')) {
        return false;
    }
    for (const char c : text.substr(text.size() > 1 ? 2 : 1)) {
        if (c != ';' && (c < '0' || c > '9')) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::string TerminalTamer::tame(std::string_view block) {
    std::string out;
    out.reserve(block.size());
    for (const char c : block) {
        if (!sequence_.empty()) {
            if (c == 'm' && sequence_.size() > 1) {
                out += sequence_ + c;
                sequence_.clear();
                continue;
            }
            if (c != kEscape && may_become_colour(sequence_ + c)) {
                sequence_ += c;
                continue;
            }
            show(out, kEscape);
            out.append(sequence_, 1);
            sequence_.clear();
        }
        if (c == kEscape) {
            sequence_ = c;
        } else if (is_plain(c)) {
            out += c;
        } else {
            show(out, c);
        }
    }
    return out;
}

}  // namespace warren::engine
