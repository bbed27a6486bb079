// Runs the distribution's own tools (mmdebstrap, apt-get, dpkg-deb): without a shell, in a pid and
// mount namespace of their own, so that whatever they start dies with them, and they with us, and
// no mount of theirs outlives them or shows on the host.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/pidref.hpp"
#include "base/result.hpp"

namespace warren::images {

// Where a program finds the directory that Program::scratch names.
inline constexpr const char* kScratchPath = "/var/tmp";

struct Program {
    std::vector<std::string> arguments;  // the first one is looked up in PATH
    // A directory of ours for its temporary files, which it sees as /var/tmp; -1: none.
    int scratch = -1;
    // The Debian package to name when the program is not there.
    std::string package;
};

class RunningProgram {
public:
    // stdin is /dev/null, stdout a pipe, stderr kept.
    [[nodiscard]] static base::Result<RunningProgram> start(const Program& program);
    RunningProgram(const RunningProgram&) = delete;
    RunningProgram& operator=(const RunningProgram&) = delete;
    RunningProgram(RunningProgram&&) = default;
    RunningProgram& operator=(RunningProgram&&) = delete;
    // Kills it if nobody waited for it.
    ~RunningProgram();

    [[nodiscard]] int output() const { return output_.get(); }

    // Waits for the first byte of output, and meanwhile reports the last message now and then.
    void follow(const std::function<void(std::string_view, std::uint64_t)>& progress);
    // Success when it exits with 0; otherwise the error has the last lines it wrote to stderr.
    [[nodiscard]] base::Status wait();

private:
    RunningProgram(base::PidRef process, base::Fd output, base::Fd messages, Program program)
        : process_(std::move(process)),
          output_(std::move(output)),
          messages_(std::move(messages)),
          program_(std::move(program)) {}

    base::PidRef process_;
    base::Fd output_;
    base::Fd messages_;
    Program program_;
};

// Runs to the end; what it printed on stdout, at most `limit` bytes.
[[nodiscard]] base::Result<std::string> run_program(const Program& program,
                                                    std::size_t limit = 1U << 20U);

// The last lines of a log that say something, joined with "; ", safe on one line.
[[nodiscard]] std::string last_lines(const std::string& text, std::size_t count);

}  // namespace warren::images
