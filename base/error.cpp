#include <algorithm>
#include <cstring>

#include "base/result.hpp"
#include "base/utf8.hpp"

namespace warren::base {

Error::Error(ErrorKind kind, std::string what) : kind_(kind), what_(std::move(what)) {}

Error::Error(ErrorKind kind, int error_number, std::string what)
    : kind_(kind), errno_(error_number), what_(std::move(what)) {}

Error&& Error::with_context(std::string text) && {
    context_.push_back(std::move(text));
    return std::move(*this);
}

Error&& Error::with_place(std::string place) && {
    place_ = std::move(place);
    return std::move(*this);
}

Error&& Error::with_secondary(Error other) && {
    secondary_.push_back(std::move(other));
    return std::move(*this);
}

void Error::add_secondary(Error other) {
    secondary_.push_back(std::move(other));
}

std::string Error::describe() const {
    std::string line;
    for (auto outer = context_.rbegin(); outer != context_.rend(); ++outer) {
        line += printable(*outer) + ": ";
    }
    if (!place_.empty()) {
        line += printable(place_) + ": ";
    }
    line += printable(what_);
    if (errno_ != 0) {
        // Unlike strerror(3) this shares no buffer between threads and is not translated.
        const char* text = ::strerrordesc_np(errno_);
        line += ": ";
        line += text != nullptr ? std::string(text) : "error " + std::to_string(errno_);
    }
    if (!secondary_.empty()) {
        line += " (also: ";
        for (std::size_t i = 0; i < secondary_.size(); ++i) {
            line += (i == 0 ? "" : "; ") + secondary_[i].describe();
        }
        line += ")";
    }
    return line;
}

Error errno_error(std::string what) {
    const int error_number = errno;
    return {ErrorKind::Failed, error_number, std::move(what)};
}

Error errno_error(int error_number, std::string what) {
    return {ErrorKind::Failed, error_number, std::move(what)};
}

Error usage_error(std::string what) {
    return {ErrorKind::Usage, std::move(what)};
}

Error fail(std::string what) {
    return {ErrorKind::Failed, std::move(what)};
}

namespace {

// What a terminal acts upon or shows as something other than a glyph in its place.
bool is_control(char32_t c) {
    return c < 0x20 || (c >= 0x7f && c <= 0x9f)  // C0, DEL, C1
           || c == 0x200e || c == 0x200f         // direction marks
           || (c >= 0x2028 && c <= 0x202e)       // line separators, direction overrides
           || (c >= 0x2066 && c <= 0x2069)       // direction isolates
           || c == 0xfeff;
}

void append_escaped(std::string& out, std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += "\\x";
        out += kDigits[byte >> 4U];
        out += kDigits[byte & 0xfU];
    }
}

}  // namespace

std::string printable(std::string_view text) {
    const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
    if (std::all_of(text.begin(), text.end(), is_plain)) {
        return std::string(text);
    }
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Utf8Char next = decode_utf8(text);
        const auto bytes = text.substr(0, next.length);
        if (!next.valid || is_control(next.code_point)) {
            append_escaped(out, bytes);
        } else {
            out += bytes;
        }
        text.remove_prefix(next.length);
    }
    return out;
}

}  // namespace warren::base
