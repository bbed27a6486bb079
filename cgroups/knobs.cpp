#include "cgroups/knobs.hpp"

#include <algorithm>

#include <fcntl.h>

#include "base/fd.hpp"
#include "base/units.hpp"

namespace warren::cgroups {

namespace {

std::string format(const Limit& limit) {
    return limit.max ? "max" : std::to_string(limit.value);
}

bool is_above(const Limit& a, const Limit& b) {
    return !b.max && (a.max || a.value > b.value);
}

// cpu.max is "QUOTA PERIOD" in microseconds. The kernel takes no quota below a millisecond, so the
// smallest shares get a period of a second, the longest there is.
std::string format_cpu_max(const Limit& micros_per_second) {
    constexpr std::uint64_t kSecond = 1'000'000;
    constexpr std::uint64_t kPeriod = 100'000;
    constexpr std::uint64_t kQuotaMin = 1'000;
    if (micros_per_second.max) {
        return "max " + std::to_string(kPeriod);
    }
    const auto quota = micros_per_second.value / (kSecond / kPeriod);
    if (quota >= kQuotaMin) {
        return std::to_string(quota) + " " + std::to_string(kPeriod);
    }
    return std::to_string(std::max(micros_per_second.value, kQuotaMin)) + " " +
           std::to_string(kSecond);
}

class Plan {
public:
    void add(std::string file, std::string text, bool if_present = false) {
        writes_.push_back({std::move(file), std::move(text), if_present});
    }

    void add(std::string file, const std::optional<Limit>& limit) {
        if (limit) {
            add(std::move(file), format(*limit), limit->max);
        }
    }

    void add(std::string file, const std::optional<std::uint64_t>& bytes) {
        if (bytes) {
            add(std::move(file), std::to_string(*bytes), *bytes == 0);
        }
    }

    [[nodiscard]] std::vector<KnobWrite> take() { return std::move(writes_); }

private:
    std::vector<KnobWrite> writes_;
};

void plan_cpu(Plan& plan, const Limits& limits) {
    if (limits.cpuset) {
        // A write of no bytes never reaches the kernel's handler.
        plan.add("cpuset.cpus", *limits.cpuset + "\n", limits.cpuset->empty());
    }
    if (limits.cpu_weight) {
        plan.add("cpu.weight", std::to_string(*limits.cpu_weight));
    }
    if (limits.cpu_max_micros) {
        plan.add("cpu.max", format_cpu_max(*limits.cpu_max_micros), limits.cpu_max_micros->max);
    }
}

// Writing memory.max below what is in use reclaims, and kills when that does not suffice. So:
//   1. what goes up goes first: a guest at its old ceiling must not meet the lowered swap before it
//      has the new memory;
//   2. then memory.high, which reclaims without killing, so that a lowered memory.max finds the
//      memory free already;
//   3. then what goes down, swap before memory: what memory.max pushes out stays within the new swap.
void plan_memory(Plan& plan, const Limits& limits, const MemoryCeilings& now) {
    const bool swap_up = limits.swap_max && is_above(*limits.swap_max, now.swap_max);
    const bool memory_up = limits.memory_max && is_above(*limits.memory_max, now.memory_max);
    plan.add("memory.min", limits.memory_min);
    plan.add("memory.low", limits.memory_low);
    if (swap_up) {
        plan.add("memory.swap.max", limits.swap_max);
    }
    if (memory_up) {
        plan.add("memory.max", limits.memory_max);
    }
    plan.add("memory.high", limits.memory_high);
    if (!swap_up) {
        plan.add("memory.swap.max", limits.swap_max);
    }
    if (!memory_up) {
        plan.add("memory.max", limits.memory_max);
    }
}

void append_rate(std::string& text, const char* key, const std::optional<Limit>& rate) {
    if (rate) {
        text += std::string(" ") + key + "=" + format(*rate);
    }
}

// What bfq calls a weight goes to 1000 only; 100 is the default of both.
std::uint64_t bfq_weight(std::uint64_t weight) {
    constexpr std::uint64_t kDefault = 100;
    constexpr std::uint64_t kBfqMax = 1'000;
    constexpr std::uint64_t kMax = 10'000;
    if (weight <= kDefault) {
        return weight;
    }
    return kDefault + (weight - kDefault) * (kBfqMax - kDefault) / (kMax - kDefault);
}

void plan_io(Plan& plan, const Limits& limits) {
    if (limits.io_weight) {
        // io.weight is iocost's, io.bfq.weight the scheduler's; a kernel may have either or both.
        plan.add("io.weight", "default " + std::to_string(*limits.io_weight), true);
        plan.add("io.bfq.weight", "default " + std::to_string(bfq_weight(*limits.io_weight)), true);
    }
    for (const IoMax& io : limits.io_max) {
        std::string text;
        append_rate(text, "rbps", io.rbps);
        append_rate(text, "wbps", io.wbps);
        append_rate(text, "riops", io.riops);
        append_rate(text, "wiops", io.wiops);
        if (text.empty()) {
            continue;
        }
        const auto is_none = [](const std::optional<Limit>& rate) { return !rate || rate->max; };
        const bool none =
            is_none(io.rbps) && is_none(io.wbps) && is_none(io.riops) && is_none(io.wiops);
        const auto device = std::to_string(io.major) + ":" + std::to_string(io.minor);
        plan.add("io.max", device + text, none);
    }
}

void plan_hugetlb(Plan& plan, const Limits& limits) {
    for (const HugetlbLimit& limit : limits.hugetlb) {
        const auto stem = "hugetlb." + limit.page_size;
        // The limit on reservations (5.7) makes mmap(2) fail; without it the first touch is SIGBUS.
        plan.add(stem + ".rsvd.max", format(limit.pages_bytes), true);
        plan.add(stem + ".max", format(limit.pages_bytes), limit.pages_bytes.max);
    }
}

}  // namespace

std::vector<KnobWrite> plan_knobs(const Limits& limits, const MemoryCeilings& now) {
    Plan plan;
    plan.add("pids.max", limits.pids_max);
    plan_cpu(plan, limits);
    plan_memory(plan, limits, now);
    plan_io(plan, limits);
    plan_hugetlb(plan, limits);
    return plan.take();
}

base::Result<Limit> parse_knob_limit(std::string_view text, const std::string& file) {
    while (text.ends_with('\n')) {
        text.remove_suffix(1);
    }
    if (text == "max") {
        return Limit::none();
    }
    const auto value = base::parse_uint(text, 0, UINT64_MAX);
    if (!value) {
        return base::fail("parse " + file + ": unexpected \"" + std::string(text) + "\"");
    }
    return Limit::of(value.value());
}

base::Result<MemoryCeilings> read_memory_ceilings(int dir) {
    const auto read = [dir](const char* file) -> base::Result<Limit> {
        const auto text = base::read_file_at(dir, file);
        if (!text && text.error().error_number() == ENOENT) {
            return Limit::none();
        }
        return parse_knob_limit(TRY(text), file);
    };
    MemoryCeilings now;
    now.memory_max = TRY(read("memory.max"));
    now.swap_max = TRY(read("memory.swap.max"));
    return now;
}

namespace {

// The kernel refuses to empty the set of a cgroup with processes in it: then the set is of all CPUs
// that there can ever be, and binds as little.
base::Status write_knob(int dir, const KnobWrite& write) {
    constexpr const char* kPossible = "/sys/devices/system/cpu/possible";
    auto status = base::write_knob_at(dir, write.file, write.text);
    if (status || status.error().error_number() != ENOSPC || write.text != "\n" ||
        write.file != "cpuset.cpus") {
        return status;
    }
    return base::write_knob_at(
        dir, write.file, TRY(base::read_file_at(AT_FDCWD, std::string(kPossible))));
}

}  // namespace

base::Status write_knobs(int dir, const std::vector<KnobWrite>& writes) {
    bool io_weight_wanted = false;
    bool io_weight_written = false;
    for (const KnobWrite& write : writes) {
        const bool is_io_weight = write.file.starts_with("io.") && write.file.ends_with("weight");
        io_weight_wanted = io_weight_wanted || is_io_weight;
        auto status = write_knob(dir, write);
        if (status) {
            io_weight_written = io_weight_written || is_io_weight;
            continue;
        }
        if (status.error().error_number() != ENOENT) {
            return status;
        }
        if (!write.if_present) {
            return base::Error(base::ErrorKind::Unsupported,
                               "this kernel has no knob " + write.file +
                                   ", leave the limit out or boot a kernel that has it");
        }
    }
    if (io_weight_wanted && !io_weight_written) {
        return base::Error(base::ErrorKind::Unsupported,
                           "this kernel has neither knob io.weight (CONFIG_BLK_CGROUP_IOCOST) nor "
                           "io.bfq.weight (module bfq), leave the limit out");
    }
    return base::ok();
}

}  // namespace warren::cgroups
