#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/floor_calls.hpp"
#include "tests/bench/trials.hpp"

namespace trials {

using floor_bench::checked;
using floor_bench::die;

double now_us() {
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double children_cpu_us() {
    rusage used{};
    (void)::getrusage(RUSAGE_CHILDREN, &used);
    const auto us = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    return us(used.ru_utime) + us(used.ru_stime);
}

Sums* shared_sums() {
    void* memory =
        ::mmap(nullptr, sizeof(Sums), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        die("map memory");
    }
    return static_cast<Sums*>(memory);
}

namespace {

void write_text(const std::string& path, const char* text) {
    const int fd = checked(::open(path.c_str(), O_WRONLY | O_CLOEXEC), path.c_str());
    if (::write(fd, text, std::strlen(text)) < 0) {
        die(path);
    }
    (void)::close(fd);
}

// A turn that one side gives and the other takes.
class Turn {
public:
    Turn() { checked(::pipe2(ends_.data(), O_CLOEXEC), "make a pipe"); }

    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Turn(Turn&&) = delete;
    Turn& operator=(Turn&&) = delete;

    ~Turn() {
        (void)::close(ends_[0]);
        (void)::close(ends_[1]);
    }

    void give() const { checked(::write(ends_[1], "x", 1), "tell the other side"); }

    // Once: after it, only the other side can have given.
    void take() {
        (void)::close(ends_[1]);
        ends_[1] = -1;
        char byte = 0;
        if (checked(::read(ends_[0], &byte, 1), "hear the other side") == 0) {
            std::exit(1);  // it said why, and is gone
        }
    }

private:
    std::array<int, 2> ends_{};
};

}  // namespace

void in_user_namespace(const std::function<void()>& inside,
                       const std::function<void(pid_t)>& beside,
                       const std::function<void()>& before) {
    Turn born;
    Turn mapped;
    Turn done;
    Turn seen;
    const pid_t pid = ::fork();
    if (pid == 0) {
        checked(::unshare(CLONE_NEWUSER), "make a user namespace");
        born.give();
        mapped.take();
        checked(::setresgid(0, 0, 0), "become root's group");
        checked(::setresuid(0, 0, 0), "become root");
        inside();
        done.give();
        seen.take();
        ::_exit(0);
    }
    checked(pid, "fork");
    born.take();
    const std::string proc = "/proc/" + std::to_string(pid);
    write_text(proc + "/uid_map", "0 268435456 65536");
    write_text(proc + "/gid_map", "0 268435456 65536");
    if (before) {
        before();
    }
    mapped.give();
    done.take();
    if (beside) {
        beside(pid);
    }
    seen.give();
    int status = 0;
    (void)::waitpid(pid, &status, 0);
    if (status != 0) {
        std::exit(1);
    }
}

}  // namespace trials
