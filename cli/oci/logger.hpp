// --log: what went wrong, one line a message, as engines read it: {"level":"error","msg":"...","time":"..."} or the text
// form of the same. Without --log, warnings and debug messages go to standard error.
//
// podman 4 reads the file as one JSON value. So in the JSON form warnings wait for the end of the verb, and when it
// failed only the error is written; --debug writes everything as it comes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "cli/common/console.hpp"

namespace warren::cli::oci {

struct LogSettings {
    std::string path;  // empty: none. /dev/fd/N and /proc/self/fd/N are paths too
    bool json = false;
    bool debug = false;
};

// Borrows the console. Stays where it is: the log it hands out points at it.
class Logger {
public:
    explicit Logger(Console& console) : console_(console) {}

    Logger(const Logger&) = delete;
    Logger& operator=(const Logger&) = delete;
    Logger(Logger&&) = delete;
    Logger& operator=(Logger&&) = delete;
    ~Logger() = default;

    // Appends to the file, made 0644 when it is not there.
    [[nodiscard]] base::Status open(const LogSettings& settings);

    [[nodiscard]] base::Log log();
    // For the file only: the error line of the console is the caller's.
    void error(std::string_view text);
    // The verb has ended without an error.
    void finish();

private:
    void take(base::LogLevel level, std::string_view text);
    void append(const std::string& line);
    [[nodiscard]] std::string line(base::LogLevel level, std::string_view text) const;

    Console& console_;
    LogSettings settings_;
    base::Fd file_;
    std::vector<std::string> held_;
};

}  // namespace warren::cli::oci
