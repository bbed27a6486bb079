// A sink handed down to whoever has something to say; no global. Library code says debug things
// only.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace warren::base {

enum class LogLevel : unsigned char { Debug, Info, Warning, Error };

class Log {
public:
    using Sink = std::function<void(LogLevel, std::string_view)>;
    Log() = default;  // says nothing

    Log(LogLevel threshold, Sink sink) : threshold_(threshold), sink_(std::move(sink)) {}

    [[nodiscard]] bool enabled(LogLevel level) const { return sink_ && level >= threshold_; }

    void write(LogLevel level, std::string_view text) const {
        if (enabled(level)) {
            sink_(level, text);
        }
    }

    void debug(std::string_view text) const { write(LogLevel::Debug, text); }

    void warning(std::string_view text) const { write(LogLevel::Warning, text); }

private:
    LogLevel threshold_ = LogLevel::Error;
    Sink sink_;
};

}  // namespace warren::base
