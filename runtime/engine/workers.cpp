#include "runtime/engine/workers.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/socket.hpp"

namespace warren::engine {

namespace {

// What a fork costs more than it gains.
constexpr std::size_t kItemsAWorker = 4;
constexpr std::size_t kMessageLimit = std::size_t{64} << 10;

// In memory that all share.
struct Board {
    std::atomic<std::size_t> next{0};
};

struct Unmap {
    void operator()(Board* board) const { (void)::munmap(board, sizeof(Board)); }
};

using SharedBoard = std::unique_ptr<Board, Unmap>;

base::Result<SharedBoard> make_board() {
    void* memory =
        ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return base::errno_error("share memory with the workers");
    }
    return SharedBoard(new (memory) Board);
}

std::string report_text(std::size_t index, const base::Status& status) {
    base::Json json;
    json["item"] = index;
    json["done"] = status.has_value();
    if (!status) {
        json["kind"] = static_cast<int>(status.error().kind());
        json["text"] = status.error().describe();
    }
    return json.dump(-1, ' ', false, base::Json::error_handler_t::replace).substr(0, kMessageLimit);
}

// What is to be done, for all workers alike.
struct Job {
    std::size_t count;
    std::size_t slice;
    std::function<WorkSlice()> make;
};

void work(int channel, Board& board, const Job& job) {
    const WorkSlice slice = job.make();
    bool heard = true;
    const auto tell = [&](std::size_t index, const base::Status& status) {
        heard = heard && base::send_message(channel, report_text(index, status)).has_value();
    };
    // Nobody to tell is nobody to work for.
    while (heard) {
        const std::size_t begin = board.next.fetch_add(job.slice);
        if (begin >= job.count) {
            return;
        }
        slice(begin, std::min(job.count, begin + job.slice), tell);
    }
}

struct Worker {
    pid_t pid = -1;
    base::Fd channel;
};

// `others`: whose channels the new worker must not hold open.
base::Result<Worker> start_worker(Board& board, const Job& job, std::vector<Worker>& others) {
    auto [ours, theirs] = TRY(base::seqpacket_pair());
    const pid_t pid = ::fork();
    if (pid < 0) {
        return base::errno_error("start a worker");
    }
    if (pid == 0) {
        ours.reset();
        others.clear();
        work(theirs.get(), board, job);
        ::_exit(0);
    }
    return Worker{pid, std::move(ours)};
}

// What one message says; false when there is none: the worker has ended.
bool take_report(const Worker& worker, const OnItem& done) {
    const auto message = base::receive_message(worker.channel.get(), kMessageLimit, 0);
    if (!message || !message.value()) {
        return false;
    }
    const auto json = base::parse_json(message.value()->bytes, "a worker's report");
    if (!json) {
        return false;
    }
    const std::size_t index = json.value().at("item").get<std::size_t>();
    if (json.value().at("done").get<bool>()) {
        done(index, base::ok());
    } else {
        const auto kind = static_cast<base::ErrorKind>(json.value().at("kind").get<int>());
        done(index, base::Error(kind, json.value().at("text").get<std::string>()));
    }
    return true;
}

void reap(const Worker& worker) {
    while (::waitpid(worker.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

void follow(std::vector<Worker> workers, const OnItem& done) {
    while (!workers.empty()) {
        std::vector<pollfd> polled;
        polled.reserve(workers.size());
        for (const auto& worker : workers) {
            polled.push_back({worker.channel.get(), POLLIN, 0});
        }
        if (::poll(polled.data(), polled.size(), -1) < 0) {
            continue;
        }
        for (std::size_t i = workers.size(); i-- > 0;) {
            if (polled[i].revents == 0 || take_report(workers[i], done)) {
                continue;
            }
            workers[i].channel.reset();
            reap(workers[i]);
            workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
}

void work_here(const Job& job, const OnItem& done) {
    const WorkSlice slice = job.make();
    for (std::size_t begin = 0; begin < job.count; begin += job.slice) {
        slice(begin, std::min(job.count, begin + job.slice), done);
    }
}

void run_job(const Job& job, std::size_t workers, const OnItem& done) {
    if (workers < 2) {
        return work_here(job, done);
    }
    auto board = make_board();
    std::vector<Worker> started;
    while (board && started.size() < workers) {
        auto worker = start_worker(*board.value(), job, started);
        if (!worker) {
            break;
        }
        started.push_back(std::move(worker).value());
    }
    if (started.empty()) {
        return work_here(job, done);
    }
    std::vector<bool> told(job.count, false);
    follow(std::move(started), [&](std::size_t index, base::Status status) {
        told.at(index) = true;
        done(index, std::move(status));
    });
    for (std::size_t index = 0; index < job.count; ++index) {
        if (!told[index]) {
            done(index, base::fail("the process that worked at it was killed"));
        }
    }
}

}  // namespace

std::size_t worker_count(std::size_t items) {
    cpu_set_t set;
    std::size_t processors = 1;
    if (::sched_getaffinity(0, sizeof(set), &set) == 0) {
        processors = static_cast<std::size_t>(CPU_COUNT(&set));
    }
    return std::max<std::size_t>(1, std::min(processors, items / kItemsAWorker));
}

void run_in_workers(std::size_t count,
                    std::size_t workers,
                    const MakeWorker& make,
                    const OnItem& done) {
    const auto make_slice = [&make]() -> WorkSlice {
        return [item = make()](std::size_t begin, std::size_t end, const OnItem& tell) {
            for (std::size_t index = begin; index < end; ++index) {
                tell(index, item(index));
            }
        };
    };
    run_job(Job{count, 1, make_slice}, workers, done);
}

void run_slices_in_workers(std::size_t count,
                           std::size_t workers,
                           std::size_t slice,
                           const WorkSlice& work,
                           const OnItem& done) {
    run_job(Job{count, std::max<std::size_t>(1, slice), [&work] { return work; }}, workers, done);
}

}  // namespace warren::engine
