#include "cli/common/console.hpp"

#include <cstdlib>

#include <unistd.h>

#include "base/fd.hpp"

namespace warren::cli {

Console::Settings Console::probe() {
    const char* no_colour = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    Settings settings;
    settings.out_terminal = isatty(settings.out) == 1;
    settings.err_terminal = isatty(settings.err) == 1;
    const bool plain = no_colour != nullptr && *no_colour != '\0';
    const bool dumb = term == nullptr || *term == '\0' || std::string_view(term) == "dumb";
    settings.colour = settings.out_terminal && !plain && !dumb;
    return settings;
}

std::string Console::wipe(bool on_terminal) const {
    return on_terminal && shared_ ? "\r\x1b[K" : "";
}

void Console::print(std::string_view text) {
    if (write_errno_ != 0) {
        return;
    }
    const base::Status written = base::write_all(
        settings_.out, wipe(settings_.out_terminal) + std::string(text), "standard output");
    if (!written) {
        const int number = written.error().error_number();
        write_errno_ = number != 0 ? number : EIO;
    }
}

void Console::print_json(const base::Json& value) {
    print(base::dump_json(value, 2) + "\n");
}

void Console::error(std::string_view scope, std::string_view text) {
    std::string line = program_ + ": ";
    const std::string lead = std::string(scope) + ": ";
    if (!scope.empty() && !text.starts_with(lead)) {
        line += lead;
    }
    line += text;
    line += "\n";
    // There is nowhere left to report a failure of standard error.
    (void)base::write_all(settings_.err, wipe(settings_.err_terminal) + line, "standard error");
}

void Console::error(std::string_view scope, const base::Error& failure) {
    error(scope, failure.describe());
}

base::Status Console::status() const {
    if (write_errno_ != 0) {
        return base::errno_error(write_errno_, "write standard output");
    }
    return base::ok();
}

}  // namespace warren::cli
