// bench_probe: runs on the host and in guests and measures what it gets; each prints one number. Time is the CPU time of
// this process, and of the sender for loopback: all of these only compute and copy, and the machine may be shared.
//
//   bench_probe idle           waits for SIGTERM: a guest that does nothing
//   bench_probe cpu            nanoseconds of a step of a loop that only computes
//   bench_probe syscall        nanoseconds of getppid(2)
//   bench_probe fault          nanoseconds of the first write to a page of fresh memory
//   bench_probe write FILE     MB a CPU second of writing 256 MiB into the page cache, over a file that exists
//   bench_probe read FILE      MB a CPU second of reading them back
//   bench_probe loopback       MB a CPU second over TCP on 127.0.0.1
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr std::size_t kBlock = 1U << 20U;
constexpr std::size_t kFileBlocks = 256;
constexpr std::size_t kNetBlocks = 1024;

[[noreturn]] void die(const char* what) {
    (void)std::fprintf(stderr, "bench_probe: %s: %s\n", what, std::strerror(errno));
    std::exit(1);
}

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Of this process and of the children it has waited for.
double now_seconds() {
    timespec own{};
    rusage children{};
    (void)::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    (void)::getrusage(RUSAGE_CHILDREN, &children);
    return static_cast<double>(own.tv_sec) + static_cast<double>(own.tv_nsec) / 1e9 +
           seconds_of(children.ru_utime) + seconds_of(children.ru_stime);
}

int print_per(double seconds, double count) {
    std::printf("%.3f\n", seconds * 1e9 / count);
    return 0;
}

int print_rate(double seconds, double bytes) {
    std::printf("%.1f\n", bytes / seconds / 1e6);
    return 0;
}

int idle() {
    sigset_t set;
    (void)::sigemptyset(&set);
    (void)::sigaddset(&set, SIGTERM);
    (void)::sigprocmask(SIG_BLOCK, &set, nullptr);
    int signal = 0;
    return ::sigwait(&set, &signal) == 0 ? 0 : 1;
}

int cpu() {
    constexpr std::uint64_t kSteps = 200'000'000;
    const double start = now_seconds();
    std::uint64_t value = 88172645463325252U;
    for (std::uint64_t i = 0; i < kSteps; ++i) {
        value ^= value << 13U;
        value ^= value >> 7U;
        value ^= value << 17U;
    }
    const double took = now_seconds() - start;
    return value == 0 ? 1 : print_per(took, static_cast<double>(kSteps));
}

int syscalls() {
    constexpr int kCalls = 1'000'000;
    const double start = now_seconds();
    for (int i = 0; i < kCalls; ++i) {
        (void)::syscall(SYS_getppid);
    }
    return print_per(now_seconds() - start, kCalls);
}

int faults() {
    constexpr std::size_t kSize = 256U << 20U;
    constexpr std::size_t kPage = 4096;
    constexpr std::size_t kPages = kSize / kPage;
    void* memory =
        ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || ::madvise(memory, kSize, MADV_NOHUGEPAGE) != 0) {
        die("map memory");
    }
    auto* bytes = static_cast<volatile char*>(memory);
    const double start = now_seconds();
    for (std::size_t i = 0; i < kSize; i += kPage) {
        bytes[i] = 1;
    }
    return print_per(now_seconds() - start, static_cast<double>(kPages));
}

int open_file(const char* path, int flags) {
    const int fd = ::open(path, flags | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        die(path);
    }
    return fd;
}

void write_file(int fd, const std::vector<char>& block) {
    for (std::size_t i = 0; i < kFileBlocks; ++i) {
        if (::pwrite(fd, block.data(), kBlock, static_cast<off_t>(i * kBlock)) !=
            static_cast<ssize_t>(kBlock)) {
            die("write");
        }
    }
}

int file_write(const char* path) {
    const std::vector<char> block(kBlock, 'w');
    const int fd = open_file(path, O_RDWR);
    write_file(fd, block);
    const double start = now_seconds();
    write_file(fd, block);
    return print_rate(now_seconds() - start, kBlock * kFileBlocks);
}

int file_read(const char* path) {
    std::vector<char> block(kBlock, 'r');
    const int fd = open_file(path, O_RDWR);
    write_file(fd, block);
    const double start = now_seconds();
    for (std::size_t i = 0; i < kFileBlocks; ++i) {
        if (::pread(fd, block.data(), kBlock, static_cast<off_t>(i * kBlock)) !=
            static_cast<ssize_t>(kBlock)) {
            die("read");
        }
    }
    return print_rate(now_seconds() - start, kBlock * kFileBlocks);
}

sockaddr* generic(sockaddr_in& address) {
    return reinterpret_cast<sockaddr*>(&address);
}

void send_all(const sockaddr_in& to) {
    sockaddr_in address = to;
    const std::vector<char> block(kBlock, 's');
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ::connect(fd, generic(address), sizeof address) != 0) {
        die("connect");
    }
    for (std::size_t left = kBlock * kNetBlocks; left > 0;) {
        const ssize_t sent = ::send(fd, block.data(), left < kBlock ? left : kBlock, 0);
        if (sent <= 0) {
            die("send");
        }
        left -= static_cast<std::size_t>(sent);
    }
    (void)::close(fd);
}

int loopback() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || ::bind(listener, generic(address), size) != 0 ||
        ::listen(listener, 1) != 0 || ::getsockname(listener, generic(address), &size) != 0) {
        die("listen");
    }
    const pid_t sender = ::fork();
    if (sender == 0) {
        send_all(address);
        std::_Exit(0);
    }
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    std::vector<char> block(kBlock);
    const double start = now_seconds();
    double received = 0;
    for (ssize_t got = 0; (got = ::recv(fd, block.data(), kBlock, 0)) > 0;) {
        received += static_cast<double>(got);
    }
    int status = 1;
    (void)::waitpid(sender, &status, 0);
    const double took = now_seconds() - start;
    return status != 0 ? 1 : print_rate(took, received);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc >= 2 ? argv[1] : "";
    if (what == "idle") {
        return idle();
    }
    if (what == "cpu") {
        return cpu();
    }
    if (what == "syscall") {
        return syscalls();
    }
    if (what == "fault") {
        return faults();
    }
    if (what == "loopback") {
        return loopback();
    }
    if (what == "write" && argc == 3) {
        return file_write(argv[2]);
    }
    if (what == "read" && argc == 3) {
        return file_read(argv[2]);
    }
    (void)std::fputs("usage: bench_probe idle|cpu|syscall|fault|loopback|write FILE|read FILE\n",
                     stderr);
    return 2;
}
