#include "base/utf8.hpp"
#include "runtime/spec/checks.hpp"

namespace warren::spec {

namespace {

// Calls `visit` for each component between slashes, empty ones left out.
template <typename F>
void each_component(std::string_view path, F visit) {
    while (!path.empty()) {
        const auto slash = std::min(path.find('/'), path.size());
        if (slash > 0) {
            visit(path.substr(0, slash));
        }
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto next = base::decode_utf8(text);
        if (!next.valid) {
            return false;
        }
        text.remove_prefix(next.length);
    }
    return true;
}

}  // namespace

std::optional<std::string> bad_text(std::string_view text, std::size_t max_bytes) {
    if (text.size() > max_bytes) {
        return "longer than " + std::to_string(max_bytes) + " bytes";
    }
    if (text.find('\0') != std::string_view::npos) {
        return "has a NUL byte";
    }
    // Records are JSON, which would replace such bytes: the guest would run something else than asked.
    if (!is_utf8(text)) {
        return "not UTF-8 text";
    }
    return std::nullopt;
}

std::optional<std::string> bad_path(std::string_view path) {
    if (auto why = bad_text(path, kMaxPath)) {
        return why;
    }
    if (!path.starts_with('/')) {
        return "\"" + std::string(path) + "\" is not an absolute path";
    }
    return std::nullopt;
}

std::string normal_path(std::string_view path) {
    std::string out;
    each_component(path, [&out](std::string_view component) {
        if (component != ".") {
            out += "/" + std::string(component);
        }
    });
    return out.empty() ? "/" : out;
}

bool has_parent_step(std::string_view path) {
    bool found = false;
    each_component(path, [&found](std::string_view component) { found |= component == ".."; });
    return found;
}

std::string nth(std::string_view option, std::size_t index) {
    return std::string(option) + " " + std::to_string(index + 1);
}

}  // namespace warren::spec
