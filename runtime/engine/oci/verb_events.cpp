#include <algorithm>

#include <poll.h>

#include <nlohmann/json.hpp>

#include "runtime/engine/oci/container.hpp"
#include "runtime/engine/oci/stats_json.hpp"

namespace warren::engine::oci {

namespace {

using Clock = std::chrono::steady_clock;

base::Json event(const std::string& id, const char* type) {
    base::Json value = base::Json::object();
    value["type"] = type;
    value["id"] = id;
    return value;
}

base::Result<base::Json> stats_event(const std::string& id,
                                     const cgroups::ContainerCgroup& cgroup) {
    auto value = event(id, "stats");
    value["data"] = stats_json(TRY(cgroup.stats()));
    return value;
}

int millis_until(Clock::time_point when) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

// Until the container has ended, or the reader has enough.
base::Status stream(const EventsRequest& request,
                    const base::PidRef& init,
                    const cgroups::ContainerCgroup& cgroup,
                    const OnEvent& on_event) {
    auto oom = cgroups::OomWatch::open(cgroup.cgroup().dir());
    auto next = Clock::now() + request.interval;
    for (;;) {
        pollfd polled[] = {{init.pidfd(), POLLIN, 0}, {oom ? oom.value().fd() : -1, POLLPRI, 0}};
        const int ready = ::poll(polled, 2, millis_until(next));
        if (ready < 0 && errno != EINTR) {
            return base::errno_error("wait for events");
        }
        if (ready > 0 && polled[1].revents != 0) {
            const auto kills = oom.value().read();
            if (!kills) {
                return base::ok();  // the cgroup is gone
            }
            if (kills.value() > 0 && !on_event(event(request.id, "oom"))) {
                return base::ok();
            }
        }
        if (ready > 0 && polled[0].revents != 0) {
            return base::ok();
        }
        if (Clock::now() >= next) {
            next = Clock::now() + request.interval;
            const auto stats = stats_event(request.id, cgroup);
            if (!stats || !on_event(stats.value())) {
                return base::ok();
            }
        }
    }
}

}  // namespace

base::Status Engine::events(const EventsRequest& request, const OnEvent& on_event) {
    if (request.interval <= std::chrono::milliseconds{0}) {
        return base::usage_error("events: the interval must be more than 0");
    }
    const auto context = TRY(Context::open(settings_, log_, faults_, false));
    const auto container = TRY(open_container(context, request.id));
    if (!container.init) {
        return state_error(request.id, "is not running");
    }
    if (container.record.cgroup.empty()) {
        return base::Error(base::ErrorKind::Unsupported,
                           "container \"" + request.id + "\" has no cgroup that counts");
    }
    const auto cgroup =
        TRY(cgroups::ContainerCgroup::open(context.host, cgroup_record(container.record)));
    if (request.stats) {
        (void)on_event(TRY(stats_event(request.id, cgroup)));
        return base::ok();
    }
    return stream(request, *container.init, cgroup, on_event);
}

}  // namespace warren::engine::oci
