#include "runtime/engine/question.hpp"

#include <array>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "runtime/engine/join.hpp"

namespace warren::engine {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kAnswerBytesMax = 4096;

int millis_left(Clock::time_point deadline) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    return left.count() <= 0 ? 0 : static_cast<int>(left.count());
}

std::string read_answer(int fd, Clock::time_point deadline) {
    std::string text;
    std::array<char, 512> block{};
    pollfd polled{fd, POLLIN, 0};
    while (text.size() < kAnswerBytesMax && ::poll(&polled, 1, millis_left(deadline)) > 0) {
        const ssize_t got = ::read(fd, block.data(), block.size());
        if (got <= 0) {
            break;
        }
        text.append(block.data(), static_cast<std::size_t>(got));
    }
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    return text;
}

}  // namespace

base::Result<Answer> ask(const Context& context,
                         const state::RunRecord& run,
                         const spec::GuestConfig& config,
                         const std::vector<std::string>& command,
                         Clock::time_point deadline) {
    const auto null_fd = TRY(base::open_at(AT_FDCWD, "/dev/null", O_RDWR));
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return base::errno_error("make pipe");
    }
    const base::Fd read_end(ends[0]);
    base::Fd write_end(ends[1]);
    JoinRequest request;
    request.command = command;
    request.cwd = "/";
    const auto launched = TRY(join_running(
        context, run, config, request, {null_fd.get(), write_end.get(), null_fd.get()}));
    write_end.reset();
    Answer answer;
    answer.text = read_answer(read_end.get(), deadline);
    if (!TRY(launched.process.wait_exit(std::chrono::milliseconds{millis_left(deadline)}))) {
        TRY(launched.process.signal(SIGKILL));
    }
    answer.exit_code = TRY(base::reap(launched.process)).shell_code();
    return answer;
}

}  // namespace warren::engine
