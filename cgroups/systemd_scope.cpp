#include "cgroups/systemd_scope.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>

#include "cgroups/sd_bus_library.hpp"

namespace warren::cgroups {

namespace {

constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kObject = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
// systemd's own socket, for hosts without a bus daemon. Root only.
constexpr const char* kPrivateAddress = "unix:path=/run/systemd/private";

using Clock = std::chrono::steady_clock;
using BusPtr = std::unique_ptr<sd_bus, std::function<void(sd_bus*)>>;
using MessagePtr = std::unique_ptr<sd_bus_message, std::function<void(sd_bus_message*)>>;
using SlotPtr = std::unique_ptr<sd_bus_slot, std::function<void(sd_bus_slot*)>>;

// Answers of sd-bus are errnos, negated.
base::Error bus_error(int answer, std::string what) {
    return base::errno_error(-answer, std::move(what));
}

// Jobs that ended while we listened; ours may be among them before we know its name.
struct JobsSeen {
    const SdBusLibrary& library;
    std::vector<std::pair<std::string, std::string>> ended;  // object path, result
};

int on_job_removed(sd_bus_message* message, void* userdata, sd_bus_error* /*error*/) {
    auto& jobs = *static_cast<JobsSeen*>(userdata);
    std::uint32_t id = 0;
    const char* path = nullptr;
    const char* unit = nullptr;
    const char* result = nullptr;
    if (jobs.library.read(message, "uoss", &id, &path, &unit, &result) >= 0) {
        jobs.ended.emplace_back(path, result);
    }
    return 0;
}

base::Result<BusPtr> connect(const SdBusLibrary& library) {
    const auto own = [&library](sd_bus* bus) {
        return BusPtr(bus, [&library](sd_bus* open) { (void)library.close(open); });
    };
    sd_bus* bus = nullptr;
    const int answer = library.open_system(&bus);
    if (answer >= 0) {
        return own(bus);
    }
    if (library.bus_new(&bus) >= 0) {
        auto direct = own(bus);
        if (library.set_address(bus, kPrivateAddress) >= 0 && library.start(bus) >= 0) {
            return direct;
        }
    }
    return bus_error(answer, "connect to systemd over D-Bus");
}

base::Result<MessagePtr> scope_request(const SdBusLibrary& library,
                                       sd_bus* bus,
                                       const std::string& unit,
                                       pid_t process) {
    sd_bus_message* raw = nullptr;
    int answer = library.new_call(bus, &raw, kService, kObject, kManager, "StartTransientUnit");
    if (answer < 0) {
        return bus_error(answer, "compose StartTransientUnit");
    }
    MessagePtr message(raw,
                       [&library](sd_bus_message* open) { (void)library.message_unref(open); });
    // "fail": never replace a job that is queued for the unit. The pids limit is each guest's own, and a
    // scope that failed must not keep its name from the next.
    answer = library.append(raw,
                            "ssa(sv)a(sa(sv))",
                            unit.c_str(),
                            "fail",
                            6,
                            "Description",
                            "s",
                            "warren guests",
                            "Slice",
                            "s",
                            kSlice,
                            "Delegate",
                            "b",
                            1,
                            "TasksMax",
                            "t",
                            UINT64_MAX,
                            "CollectMode",
                            "s",
                            "inactive-or-failed",
                            "PIDs",
                            "au",
                            1,
                            static_cast<std::uint32_t>(process),
                            0);
    if (answer < 0) {
        return bus_error(answer, "compose StartTransientUnit");
    }
    return message;
}

// Sends the request; answers the object path of the job that systemd queued.
base::Result<std::string> call(const SdBusLibrary& library,
                               sd_bus* bus,
                               sd_bus_message* request,
                               std::uint64_t timeout_micros) {
    sd_bus_error error = {};
    sd_bus_message* raw = nullptr;
    int answer = library.call(bus, request, timeout_micros, &error, &raw);
    const MessagePtr reply(raw,
                           [&library](sd_bus_message* open) { (void)library.message_unref(open); });
    if (answer < 0) {
        const std::string kind = error.name != nullptr ? error.name : "";
        const std::string text = error.message != nullptr ? error.message : "";
        library.error_free(&error);
        if (kind == "org.freedesktop.systemd1.UnitExists") {
            return base::Error(base::ErrorKind::Exists, text);
        }
        return text.empty() ? bus_error(answer, "call systemd") : base::fail(text);
    }
    const char* job = nullptr;
    answer = library.read(raw, "o", &job);
    if (answer < 0) {
        return bus_error(answer, "read systemd's answer");
    }
    return std::string(job);
}

base::Status wait_job(sd_bus* bus,
                      const JobsSeen& jobs,
                      const std::string& job,
                      Clock::time_point deadline) {
    for (;;) {
        const auto found = std::find_if(jobs.ended.begin(), jobs.ended.end(), [&](const auto& one) {
            return one.first == job;
        });
        if (found != jobs.ended.end()) {
            if (found->second == "done") {
                return base::ok();
            }
            return base::fail("systemd answers \"" + found->second + "\"");
        }
        const int handled = jobs.library.process(bus, nullptr);
        if (handled < 0) {
            return bus_error(handled, "talk to systemd");
        }
        if (handled > 0) {
            continue;
        }
        const auto left =
            std::chrono::duration_cast<std::chrono::microseconds>(deadline - Clock::now());
        if (left.count() <= 0) {
            return base::fail("systemd does not answer in time");
        }
        const int waited = jobs.library.wait(bus, static_cast<std::uint64_t>(left.count()));
        if (waited < 0 && waited != -EINTR) {
            return bus_error(waited, "talk to systemd");
        }
    }
}

base::Status start(const std::string& unit, pid_t process, std::chrono::milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    const auto library = TRY(load_sd_bus());
    JobsSeen jobs{library, {}};
    const auto bus = TRY(connect(library));
    sd_bus_slot* raw = nullptr;
    const int matched = library.match_signal(
        bus.get(), &raw, kService, kObject, kManager, "JobRemoved", on_job_removed, &jobs);
    if (matched < 0) {
        return bus_error(matched, "listen to systemd");
    }
    const SlotPtr slot(raw, [&library](sd_bus_slot* open) { (void)library.slot_unref(open); });
    const auto request = TRY(scope_request(library, bus.get(), unit, process));
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(timeout).count();
    const auto job =
        TRY(call(library, bus.get(), request.get(), static_cast<std::uint64_t>(micros)));
    return wait_job(bus.get(), jobs, job, deadline);
}

}  // namespace

base::Status start_scope(const std::string& unit,
                         pid_t process,
                         std::chrono::milliseconds timeout) {
    return base::with_context(start(unit, process, timeout), "start scope " + unit);
}

}  // namespace warren::cgroups
