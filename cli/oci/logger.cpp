#include "cli/oci/logger.hpp"

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/units.hpp"

namespace warren::cli::oci {

namespace {

std::string_view name(base::LogLevel level) {
    switch (level) {
        case base::LogLevel::Debug:
            return "debug";
        case base::LogLevel::Info:
            return "info";
        case base::LogLevel::Warning:
            return "warning";
        case base::LogLevel::Error:
            break;
    }
    return "error";
}

}  // namespace

base::Status Logger::open(const LogSettings& settings) {
    settings_ = settings;
    if (!settings_.path.empty()) {
        constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY;
        file_ = TRY(base::open_at(AT_FDCWD, settings_.path, kFlags, 0644));
    }
    return base::ok();
}

base::Log Logger::log() {
    const auto threshold = settings_.debug ? base::LogLevel::Debug : base::LogLevel::Warning;
    return {threshold, [this](base::LogLevel level, std::string_view text) { take(level, text); }};
}

void Logger::error(std::string_view text) {
    held_.clear();
    if (file_) {
        append(line(base::LogLevel::Error, text));
    }
}

void Logger::finish() {
    for (const std::string& held : held_) {
        append(held);
    }
    held_.clear();
}

void Logger::take(base::LogLevel level, std::string_view text) {
    if (!file_) {
        console_.error(name(level), base::printable(text));
    } else if (settings_.json && !settings_.debug) {
        held_.push_back(line(level, text));
    } else {
        append(line(level, text));
    }
}

// A log that cannot be written must not change what a verb does.
void Logger::append(const std::string& line) {
    (void)base::write_all(file_.get(), line, settings_.path);
}

std::string Logger::line(base::LogLevel level, std::string_view text) const {
    const std::string now = base::format_time_now();
    if (settings_.json) {
        base::Json value = base::Json::object();
        value["level"] = std::string(name(level));
        value["msg"] = std::string(text);
        value["time"] = now;
        return base::dump_json(value) + "\n";
    }
    // A JSON string is quoted as the text form wants it.
    return "time=\"" + now + "\" level=" + std::string(name(level)) +
           " msg=" + base::dump_json(base::Json(std::string(text))) + "\n";
}

}  // namespace warren::cli::oci
