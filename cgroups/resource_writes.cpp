#include "cgroups/resource_writes.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "base/fd.hpp"
#include "base/units.hpp"
#include "cgroups/knobs.hpp"

namespace warren::cgroups {

namespace {

constexpr const char* kCpuMax = "cpu.max";
constexpr const char* kBurst = "cpu.max.burst";
constexpr const char* kMemoryMax = "memory.max";
constexpr const char* kSwapMax = "memory.swap.max";

// Either of the two files of an io weight will do, but the controller must be there.
bool is_needed(const Knob& knob) {
    const bool weight = knob.file == "io.weight" || knob.file == "io.bfq.weight";
    return (!knob.if_present || weight) && knob.controller != "cgroup";
}

base::Result<std::string> read_or_empty(int dir, const char* file) {
    auto text = base::read_file_at(dir, file);
    if (!text && text.error().error_number() == ENOENT) {
        return std::string();
    }
    return text;
}

// "QUOTA PERIOD", the quota perhaps "max".
base::Status complete_bandwidth(int dir, CpuResources& cpu) {
    const bool has_quota = cpu.quota.value_or(0) != 0;
    const bool has_period = cpu.period.value_or(0) != 0;
    if (has_quota == has_period) {
        return base::ok();
    }
    const auto text = TRY(read_or_empty(dir, kCpuMax));
    const auto blank = text.find(' ');
    if (blank == std::string::npos) {
        return base::ok();
    }
    const auto number = [](std::string_view word) {
        return base::parse_uint(word.substr(0, word.find('\n')), 1, INT64_MAX);
    };
    if (has_quota) {
        const auto period = number(std::string_view(text).substr(blank + 1));
        cpu.period = period ? std::optional(period.value()) : std::nullopt;
        return base::ok();
    }
    const auto quota = number(std::string_view(text).substr(0, blank));
    if (quota) {
        cpu.quota = static_cast<std::int64_t>(quota.value());
    }
    return base::ok();
}

base::Status complete_memory(int dir, MemoryResources& memory, const std::string& pointer) {
    const auto limit = memory.limit.value_or(0);
    if (memory.swap.value_or(0) > 0 && limit == 0) {
        const auto now = TRY(read_memory_ceilings(dir)).memory_max;
        if (!now.max && now.value <= INT64_MAX) {
            memory.limit = static_cast<std::int64_t>(now.value);
        }
    }
    if (limit <= 0 || !memory.check_before_update.value_or(false)) {
        return base::ok();
    }
    const auto text = TRY(read_or_empty(dir, "memory.current"));
    const auto used =
        base::parse_uint(std::string_view(text).substr(0, text.find('\n')), 0, UINT64_MAX);
    if (used && used.value() > static_cast<std::uint64_t>(limit)) {
        return base::usage_error("memory limit " + std::to_string(limit) + " is below the " +
                                 std::to_string(used.value()) + " bytes in use")
            .with_place(pointer + "/memory/limit");
    }
    return base::ok();
}

std::vector<Knob>::iterator find_knob(std::vector<Knob>& knobs, const char* file) {
    return std::find_if(
        knobs.begin(), knobs.end(), [file](const Knob& knob) { return knob.file == file; });
}

// What goes up goes first; else swap before memory, so that what the lowered memory pushes out stays within
// the new swap.
base::Status order_memory(int dir, std::vector<Knob>& knobs) {
    const auto memory = find_knob(knobs, kMemoryMax);
    const auto swap = find_knob(knobs, kSwapMax);
    if (memory == knobs.end() || swap == knobs.end()) {
        return base::ok();
    }
    const auto now = TRY(read_memory_ceilings(dir)).memory_max;
    const auto wish = TRY(parse_knob_limit(memory->value, memory->file));
    const bool up = !now.max && (wish.max || wish.value > now.value);
    if ((up && swap < memory) || (!up && memory < swap)) {
        std::iter_swap(memory, swap);
    }
    return base::ok();
}

}  // namespace

std::set<std::string> needed_controllers(const std::vector<Knob>& knobs) {
    std::set<std::string> needed;
    for (const Knob& knob : knobs) {
        if (is_needed(knob)) {
            needed.insert(knob.controller);
        }
    }
    return needed;
}

base::Status check_knobs(const Host& host,
                         const std::set<std::string>& available,
                         const std::vector<Knob>& knobs) {
    std::map<std::string, std::string> missing;  // controller: knobs
    std::string place;                           // of the first
    for (const Knob& knob : knobs) {
        if (is_needed(knob) && available.count(knob.controller) == 0) {
            auto& files = missing[knob.controller];
            files += (files.empty() ? "" : ", ") + knob.file;
            place = place.empty() ? knob.place : place;
        }
    }
    if (missing.empty()) {
        return base::ok();
    }
    std::string text;
    bool mounted_v1 = false;
    for (const auto& [controller, files] : missing) {
        text.append(text.empty() ? "" : "; ").append(files).append(" needs the ");
        text.append(controller).append(" controller, ");
        const auto mount = v1_mount(host, controller);
        if (mount) {
            mounted_v1 = true;
            text += "which this host mounts as cgroup v1 at " + *mount;
        } else {
            text += "which is not there";
        }
    }
    const char* remedy = mounted_v1
                             ? "; boot with systemd.unified_cgroup_hierarchy=1 (or "
                               "cgroup_no_v1=all), or leave the limit out"
                             : "; boot a kernel that has it, have it delegated, or leave the "
                               "limit out";
    return base::Error(base::ErrorKind::Unsupported, text + remedy).with_place(place);
}

base::Result<Resources> complete_resources(int dir,
                                           Resources resources,
                                           const std::string& pointer) {
    TRY(complete_bandwidth(dir, resources.cpu));
    TRY(complete_memory(dir, resources.memory, pointer));
    return resources;
}

base::Status write_live(int dir, std::vector<Knob> knobs) {
    TRY(order_memory(dir, knobs));
    std::vector<KnobWrite> writes;
    // The kernel takes no quota below the burst in force.
    if (find_knob(knobs, kCpuMax) != knobs.end() && find_knob(knobs, kBurst) != knobs.end()) {
        writes.push_back({kBurst, "0", true});
    }
    for (Knob& knob : knobs) {
        writes.push_back({std::move(knob.file), std::move(knob.value), knob.if_present});
    }
    return write_knobs(dir, writes);
}

}  // namespace warren::cgroups
