// bench_floor: the yardstick of the benchmarks, a launcher that does only the system calls of a guest's launch.
//
//   bench_floor --root DIR [OPTION...] -- PROGRAM [ARG...]
//     --scratch DIR      each guest has an overlay over the root, its upper directory below DIR (else: a bind, read-only)
//     --cgroup DIR       each guest has a cgroup of its own below DIR, in a cgroup v2 tree
//     --filter FILE      system call filter, and
//     --devices FILE     device program: both compiled, as bench_filter writes them
//     --without net|users   without this namespace
//     --count N          so many guests (1)
//     --workers W        launched by so many processes, which each do it one after the other (1)
//     --hold             keep all guests; when the end of standard input comes, kill all, then reap and remove them
//     --json             print what it took, and the steps of the first and the last 100 guests
//
// The exit status is 1 when anything failed, else the last guest's own, with --hold 0.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/floor_guest.hpp"

namespace {

using floor_bench::die;
using floor_bench::Guest;
using floor_bench::kStepCount;
using floor_bench::now_ns;
using floor_bench::Settings;
using floor_bench::Step;
using floor_bench::Times;

struct Run {
    Settings settings;
    std::string device_file;
    std::uint32_t count = 1;
    std::uint32_t workers = 1;
    bool hold = false;
    bool json = false;
};

[[noreturn]] void usage(const char* what) {
    (void)std::fprintf(stderr, "bench_floor: %s (usage: see the head of floor.cpp)\n", what);
    std::exit(2);
}

std::uint32_t positive(const char* text) {
    char* end = nullptr;
    const unsigned long value = std::strtoul(text, &end, 10);
    if (*end != '\0' || value < 1 || value > 30000) {
        usage("a count is 1 to 30000");
    }
    return static_cast<std::uint32_t>(value);
}

template <typename Element>
std::vector<Element> read_elements(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);

    struct stat status {};

    if (fd < 0 || ::fstat(fd, &status) != 0) {
        die("read " + path);
    }
    std::vector<Element> out(static_cast<std::size_t>(status.st_size) / sizeof(Element));
    const std::size_t size = out.size() * sizeof(Element);
    if (::read(fd, out.data(), size) != static_cast<ssize_t>(size)) {
        die("read " + path);
    }
    (void)::close(fd);
    return out;
}

int load_device_program(const std::string& path) {
    const auto code = read_elements<bpf_insn>(path);
    bpf_attr load{};
    load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    load.insns = reinterpret_cast<std::uint64_t>(code.data());
    load.insn_cnt = static_cast<__u32>(code.size());
    load.license = reinterpret_cast<std::uint64_t>("GPL");
    const long program = ::syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
    if (program < 0) {
        die("load the device program");
    }
    return static_cast<int>(program);
}

void without(Settings& settings, std::string_view name) {
    if (name == "net") {
        settings.network = false;
    } else if (name == "users") {
        settings.users = false;
    } else {
        usage("--without takes net or users");
    }
}

bool take_flag(Run& run, std::string_view option) {
    if (option == "--hold") {
        run.hold = true;
    } else if (option == "--json") {
        run.json = true;
    } else {
        return false;
    }
    return true;
}

void take_value(Run& run, std::string_view option, const char* value) {
    if (option == "--root") {
        run.settings.root = value;
    } else if (option == "--scratch") {
        run.settings.scratch = value;
    } else if (option == "--cgroup") {
        run.settings.cgroup = value;
    } else if (option == "--filter") {
        run.settings.filter = read_elements<sock_filter>(value);
    } else if (option == "--devices") {
        run.device_file = value;
    } else if (option == "--without") {
        without(run.settings, value);
    } else if (option == "--count") {
        run.count = positive(value);
    } else if (option == "--workers") {
        run.workers = positive(value);
    } else {
        usage("no such option");
    }
}

Run parse(int argc, char** argv) {
    Run run;
    int at = 1;
    for (; at < argc && std::strcmp(argv[at], "--") != 0; ++at) {
        if (!take_flag(run, argv[at])) {
            if (at + 1 >= argc) {
                usage("an option lacks its value");
            }
            take_value(run, argv[at], argv[at + 1]);
            ++at;
        }
    }
    run.settings.argv.assign(argv + std::min(at + 1, argc), argv + argc);
    if (run.settings.argv.empty() || run.settings.root.empty()) {
        usage("--root DIR and a program are needed");
    }
    run.settings.argv.push_back(nullptr);
    if (!run.settings.cgroup.empty() && !run.device_file.empty()) {
        run.settings.device_program = load_device_program(run.device_file);
    }
    run.workers = std::min(run.workers, run.count);
    return run;
}

// What the processes of one run share. The times of guest N lie at N.
struct Shared {
    std::atomic<std::uint32_t> next{0};
    std::atomic<std::uint32_t> up{0};
    std::atomic<std::uint64_t> last_up_ns{0};
    std::atomic<std::uint64_t> killing_ns{0};
    std::atomic<int> status{0};
};

template <typename T>
T* shared_memory(std::size_t count) {
    void* memory = ::mmap(
        nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        die("map shared memory");
    }
    return static_cast<T*>(memory);
}

void await_end_of_input() {
    char byte = 0;
    while (::read(STDIN_FILENO, &byte, 1) > 0 || errno == EINTR) {
        errno = 0;
    }
}

// Kill all first: the kernel takes them down side by side while the first are reaped.
void end_all(const Run& run, std::vector<Guest>& guests, Times* times, std::uint32_t* index_of) {
    for (const Guest& guest : guests) {
        (void)::syscall(SYS_pidfd_send_signal, guest.pidfd, SIGKILL, nullptr, 0);
    }
    for (std::size_t i = 0; i < guests.size(); ++i) {
        (void)floor_bench::reap(guests[i], false, times[index_of[i]]);
    }
    for (std::size_t i = 0; i < guests.size(); ++i) {
        floor_bench::undo(run.settings, guests[i], times[index_of[i]]);
    }
}

void work(const Run& run, Shared& shared, Times* times, Times* child_times) {
    std::vector<Guest> held;
    std::vector<std::uint32_t> indexes;
    for (;;) {
        const std::uint32_t index = shared.next.fetch_add(1);
        if (index >= run.count) {
            break;
        }
        Guest guest = floor_bench::launch(run.settings, index, times[index], child_times);
        if (run.hold) {
            held.push_back(std::move(guest));
            indexes.push_back(index);
        } else {
            shared.status = floor_bench::reap(guest, false, times[index]);
            floor_bench::undo(run.settings, guest, times[index]);
        }
        shared.up.fetch_add(1);
        shared.last_up_ns = now_ns();
    }
    if (run.hold) {
        await_end_of_input();
        shared.killing_ns = now_ns();
        end_all(run, held, times, indexes.data());
    }
}

double milliseconds(std::uint64_t ns) {
    return static_cast<double>(ns) / 1e6;
}

// The mean of each step over guests [first, first + count), in microseconds.
void print_steps(const char* name, const Times* times, std::uint32_t first, std::uint32_t count) {
    std::printf(",\"%s\":{", name);
    for (std::size_t step = 0; step < kStepCount; ++step) {
        std::uint64_t sum = 0;
        for (std::uint32_t i = first; i < first + count; ++i) {
            sum += times[i][step];
        }
        std::printf("%s\"%s\":%.1f",
                    step == 0 ? "" : ",",
                    floor_bench::step_name(static_cast<Step>(step)),
                    static_cast<double>(sum) / 1e3 / count);
    }
    std::printf("}");
}

void print_json(const Run& run, const Shared& shared, const Times* times, std::uint64_t began) {
    const std::uint64_t end = now_ns();
    const std::uint32_t sample = std::min<std::uint32_t>(run.count, 100);
    std::printf("{\"count\":%u,\"workers\":%u,\"up_ms\":%.3f",
                run.count,
                run.workers,
                milliseconds(shared.last_up_ns - began));
    if (run.hold) {
        std::printf(",\"destroy_ms\":%.3f", milliseconds(end - shared.killing_ns));
    }
    print_steps("first_us", times, 0, sample);
    print_steps("last_us", times, run.count - sample, sample);
    std::printf("}\n");
}

void wait_for(std::vector<pid_t>& workers, Shared& shared) {
    for (const pid_t pid : workers) {
        int status = 0;
        if (::waitpid(pid, &status, 0) != pid || status != 0) {
            shared.status = 1;
        }
    }
}

// Says when all guests are up, for who measures them meanwhile.
void announce(const Run& run, const Shared& shared, std::vector<pid_t>& workers) {
    while (shared.up < run.count) {
        int status = 0;
        const pid_t ended = ::waitpid(-1, &status, WNOHANG);
        if (ended < 0 || status != 0) {
            std::exit(1);  // it has complained; the others end with this process
        }
        std::erase(workers, ended);
        ::usleep(1000);
    }
    std::printf("up\n");
    (void)std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const Run run = parse(argc, argv);
    (void)::umask(0);
    auto* shared = new (shared_memory<Shared>(1)) Shared;
    auto* times = shared_memory<Times>(run.count);
    auto* child_times = shared_memory<Times>(run.workers);
    const std::uint64_t began = now_ns();
    if (run.workers == 1 && !run.hold) {
        work(run, *shared, times, child_times);
    } else {
        std::vector<pid_t> workers;
        for (std::uint32_t i = 0; i < run.workers; ++i) {
            const pid_t pid = ::fork();
            if (pid == 0) {
                (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
                work(run, *shared, times, child_times + i);
                std::_Exit(0);
            }
            workers.push_back(pid);
        }
        if (run.hold) {
            announce(run, *shared, workers);
        }
        wait_for(workers, *shared);
    }
    if (run.json) {
        print_json(run, *shared, times, began);
    }
    return shared->status;
}
