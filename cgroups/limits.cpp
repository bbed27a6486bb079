#include "cgroups/limits.hpp"

#include <algorithm>

namespace warren::cgroups {

namespace {

template <typename T>
void take_over(std::optional<T>& mine, const std::optional<T>& newer) {
    if (newer) {
        mine = newer;
    }
}

bool binds(const std::optional<Limit>& limit) {
    return limit && !limit->max;
}

bool protects(const std::optional<std::uint64_t>& bytes) {
    return bytes && *bytes != 0;
}

bool binds(const IoMax& io) {
    return binds(io.rbps) || binds(io.wbps) || binds(io.riops) || binds(io.wiops);
}

}  // namespace

void Limits::merge(const Limits& newer) {
    take_over(cpu_max_micros, newer.cpu_max_micros);
    take_over(cpu_weight, newer.cpu_weight);
    take_over(cpuset, newer.cpuset);
    take_over(memory_max, newer.memory_max);
    take_over(memory_high, newer.memory_high);
    take_over(memory_low, newer.memory_low);
    take_over(memory_min, newer.memory_min);
    take_over(swap_max, newer.swap_max);
    take_over(pids_max, newer.pids_max);
    take_over(io_weight, newer.io_weight);
    for (const IoMax& theirs : newer.io_max) {
        const auto mine = std::find_if(io_max.begin(), io_max.end(), [&](const IoMax& io) {
            return io.major == theirs.major && io.minor == theirs.minor;
        });
        if (mine == io_max.end()) {
            io_max.push_back(theirs);
            continue;
        }
        take_over(mine->rbps, theirs.rbps);
        take_over(mine->wbps, theirs.wbps);
        take_over(mine->riops, theirs.riops);
        take_over(mine->wiops, theirs.wiops);
    }
    for (const HugetlbLimit& theirs : newer.hugetlb) {
        const auto mine = std::find_if(hugetlb.begin(), hugetlb.end(), [&](const HugetlbLimit& h) {
            return h.page_size == theirs.page_size;
        });
        if (mine == hugetlb.end()) {
            hugetlb.push_back(theirs);
        } else {
            mine->pages_bytes = theirs.pages_bytes;
        }
    }
}

std::string_view name(Controller controller) {
    switch (controller) {
        case Controller::Cpu:
            return "cpu";
        case Controller::Cpuset:
            return "cpuset";
        case Controller::Memory:
            return "memory";
        case Controller::Io:
            return "io";
        case Controller::Pids:
            return "pids";
        case Controller::Hugetlb:
            return "hugetlb";
    }
    return "";
}

std::vector<Controller> needed_controllers(const Limits& limits) {
    std::vector<Controller> needed;
    const auto need = [&needed](Controller controller, bool wanted) {
        if (wanted) {
            needed.push_back(controller);
        }
    };
    need(Controller::Cpu, binds(limits.cpu_max_micros) || limits.cpu_weight);
    need(Controller::Cpuset, limits.cpuset && !limits.cpuset->empty());
    need(Controller::Memory,
         binds(limits.memory_max) || binds(limits.memory_high) || protects(limits.memory_low) ||
             protects(limits.memory_min) || binds(limits.swap_max));
    need(Controller::Io,
         limits.io_weight || std::any_of(limits.io_max.begin(),
                                         limits.io_max.end(),
                                         [](const IoMax& io) { return binds(io); }));
    need(Controller::Pids, binds(limits.pids_max));
    need(Controller::Hugetlb,
         std::any_of(limits.hugetlb.begin(), limits.hugetlb.end(), [](const HugetlbLimit& h) {
             return !h.pages_bytes.max;
         }));
    return needed;
}

}  // namespace warren::cgroups
