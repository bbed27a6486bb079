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

void work(int channel, Board& board, std::size_t count, const MakeWorker& make) {
    const WorkItem item = make();
    for (;;) {
        const std::size_t index = board.next.fetch_add(1);
        // Nobody to tell is nobody to work for.
        if (index >= count || !base::send_message(channel, report_text(index, item(index)))) {
            return;
        }
    }
}

struct Worker {
    pid_t pid = -1;
    base::Fd channel;
};

// `others`: whose channels the new worker must not hold open.
base::Result<Worker> start_worker(Board& board,
                                  std::size_t count,
                                  const MakeWorker& make,
                                  std::vector<Worker>& others) {
    auto [ours, theirs] = TRY(base::seqpacket_pair());
    const pid_t pid = ::fork();
    if (pid < 0) {
        return base::errno_error("start a worker");
    }
    if (pid == 0) {
        ours.reset();
        others.clear();
        work(theirs.get(), board, count, make);
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

void work_here(std::size_t count, const MakeWorker& make, const OnItem& done) {
    const WorkItem item = make();
    for (std::size_t index = 0; index < count; ++index) {
        done(index, item(index));
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
    if (workers < 2) {
        return work_here(count, make, done);
    }
    auto board = make_board();
    std::vector<Worker> started;
    while (board && started.size() < workers) {
        auto worker = start_worker(*board.value(), count, make, started);
        if (!worker) {
            break;
        }
        started.push_back(std::move(worker).value());
    }
    if (started.empty()) {
        return work_here(count, make, done);
    }
    std::vector<bool> told(count, false);
    follow(std::move(started), [&](std::size_t index, base::Status status) {
        told.at(index) = true;
        done(index, std::move(status));
    });
    for (std::size_t index = 0; index < count; ++index) {
        if (!told[index]) {
            done(index, base::fail("the process that worked at it was killed"));
        }
    }
}

}  // namespace warren::engine
