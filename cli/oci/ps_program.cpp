#include "cli/oci/ps_program.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.hpp"

namespace warren::cli::oci {

namespace {

constexpr std::size_t kOutputLimit = 16U << 20;
constexpr int kNoProgram = 127;

std::vector<std::string_view> fields(std::string_view line) {
    std::vector<std::string_view> result;
    while (true) {
        const std::size_t start = line.find_first_not_of(' ');
        if (start == std::string_view::npos) {
            return result;
        }
        line.remove_prefix(start);
        const std::size_t end = std::min(line.find(' '), line.size());
        result.push_back(line.substr(0, end));
        line.remove_prefix(end);
    }
}

std::string_view take_line(std::string_view& rest) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
}

bool is_listed(std::string_view text, const std::vector<pid_t>& pids) {
    pid_t pid = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), pid);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() &&
           std::find(pids.begin(), pids.end(), pid) != pids.end();
}

// In the child. Only what is safe after fork(2).
[[noreturn]] void become(char* const* argv, int output) {
    if (::dup2(output, STDOUT_FILENO) == STDOUT_FILENO) {
        ::execvp(argv[0], argv);
    }
    ::_exit(kNoProgram);
}

}  // namespace

base::Result<std::string> run_ps(const std::vector<std::string>& options) {
    std::vector<std::string> words{"ps"};
    words.insert(words.end(), options.begin(), options.end());
    if (options.empty()) {
        words.emplace_back("-ef");
    }
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return base::errno_error("make a pipe for ps");
    }
    base::Fd read_end(ends[0]);
    base::Fd write_end(ends[1]);
    const pid_t child = ::fork();
    if (child < 0) {
        return base::errno_error("fork for ps");
    }
    if (child == 0) {
        become(argv.data(), write_end.get());
    }
    write_end.reset();
    auto output = base::read_all(read_end.get(), kOutputLimit, "the output of ps");
    // What still writes after that ends by SIGPIPE.
    read_end.reset();
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!output) {
        return output;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return base::fail(WIFEXITED(status) && WEXITSTATUS(status) == kNoProgram
                              ? "run ps: not found (--format json does without it)"
                              : "ps failed");
    }
    return output;
}

base::Result<std::string> select_processes(std::string_view output,
                                           const std::vector<pid_t>& pids) {
    const std::string_view title = take_line(output);
    const auto titles = fields(title);
    const auto found = std::find(titles.begin(), titles.end(), "PID");
    if (found == titles.end()) {
        return base::usage_error("the options of ps leave out the column PID");
    }
    const auto column = static_cast<std::size_t>(found - titles.begin());
    std::string result = std::string(title) + "\n";
    while (!output.empty()) {
        const std::string_view line = take_line(output);
        const auto cells = fields(line);
        if (column < cells.size() && is_listed(cells[column], pids)) {
            result += std::string(line) + "\n";
        }
    }
    return result;
}

}  // namespace warren::cli::oci
