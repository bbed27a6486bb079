// /process: what runs, and as whom.
#include <algorithm>

#include <linux/sched.h>
#include <sys/resource.h>

#include "isolation/capabilities.hpp"
#include "runtime/spec/oci/parse.hpp"
#include "runtime/spec/oci/reading.hpp"

namespace warren::spec::oci {

namespace {

using base::JsonReader;
using base::Result;

constexpr std::uint64_t kMaxUmask = 0777;
constexpr std::uint32_t kHighestCpu = 8191;

constexpr base::Words<int, RLIM_NLIMITS> kRlimits{{
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
}};

constexpr base::Words<std::uint32_t, 7> kPolicies{{
    {"SCHED_OTHER", SCHED_NORMAL},
    {"SCHED_FIFO", SCHED_FIFO},
    {"SCHED_RR", SCHED_RR},
    {"SCHED_BATCH", SCHED_BATCH},
    {"SCHED_ISO", 4},  // the kernel keeps the number and has no such policy
    {"SCHED_IDLE", SCHED_IDLE},
    {"SCHED_DEADLINE", SCHED_DEADLINE},
}};

constexpr base::Words<std::uint64_t, 7> kSchedulerFlags{{
    {"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
    {"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
    {"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
    {"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
    {"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
    {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
}};

// linux/ioprio.h is no C++.
constexpr base::Words<int, 3> kIoClasses{{
    {"IOPRIO_CLASS_RT", 1},
    {"IOPRIO_CLASS_BE", 2},
    {"IOPRIO_CLASS_IDLE", 3},
}};

// 0 by 0 is how engines say that they do not know.
Result<std::optional<isolation::WindowSize>> read_console_size(const JsonReader& process) {
    using Size = std::optional<isolation::WindowSize>;
    const auto reader = TRY(section(process, "consoleSize"));
    if (!reader) {
        return Size();
    }
    isolation::WindowSize size;
    size.rows = TRY(uint_or<std::uint16_t>(*reader, "height", 0));
    size.columns = TRY(uint_or<std::uint16_t>(*reader, "width", 0));
    return size.rows == 0 || size.columns == 0 ? Size() : Size(size);
}

Result<User> read_user(const JsonReader& process) {
    const auto reader = TRY(process.object("user"));
    User user;
    user.uid = TRY(uint_or<std::uint32_t>(reader, "uid", 0, kMaxId));
    user.gid = TRY(uint_or<std::uint32_t>(reader, "gid", 0, kMaxId));
    if (const auto umask = TRY(optional_uint_up_to(reader, "umask", kMaxUmask))) {
        user.umask = static_cast<mode_t>(*umask);
    }
    user.additional_gids = TRY(ids(reader, "additionalGids"));
    return user;
}

Result<std::uint64_t> read_capability_set(const JsonReader& reader,
                                          const char* key,
                                          std::vector<std::string>& unknown) {
    std::uint64_t mask = 0;
    for (auto& name : TRY(reader.strings(key))) {
        if (const auto capability = isolation::parse_capability(name)) {
            mask |= capability.value();
        } else if (std::find(unknown.begin(), unknown.end(), name) == unknown.end()) {
            unknown.push_back(std::move(name));
        }
    }
    return mask;
}

Result<std::optional<Capabilities>> read_capabilities(const JsonReader& process) {
    const auto reader = TRY(section(process, "capabilities"));
    if (!reader) {
        return std::optional<Capabilities>();
    }
    Capabilities out;
    out.sets.bounding = TRY(read_capability_set(*reader, "bounding", out.unknown));
    out.sets.effective = TRY(read_capability_set(*reader, "effective", out.unknown));
    out.sets.inheritable = TRY(read_capability_set(*reader, "inheritable", out.unknown));
    out.sets.permitted = TRY(read_capability_set(*reader, "permitted", out.unknown));
    out.sets.ambient = TRY(read_capability_set(*reader, "ambient", out.unknown));
    return std::optional<Capabilities>(std::move(out));
}

Result<std::vector<isolation::Rlimit>> read_rlimits(const JsonReader& process) {
    std::vector<isolation::Rlimit> out;
    for (const auto& reader : TRY(process.objects("rlimits"))) {
        isolation::Rlimit limit;
        limit.resource = TRY(base::read_word(reader, "type", kRlimits));
        limit.soft = TRY(reader.uint("soft"));
        limit.hard = TRY(reader.uint("hard"));
        out.push_back(limit);
    }
    return out;
}

Result<std::optional<Scheduler>> read_scheduler(const JsonReader& process) {
    constexpr std::int64_t kLowestNice = -20;
    constexpr std::int64_t kHighestNice = 19;
    constexpr std::uint64_t kHighestPriority = 99;
    const auto reader = TRY(section(process, "scheduler"));
    if (!reader) {
        return std::optional<Scheduler>();
    }
    Scheduler out;
    out.policy = TRY(base::read_word(*reader, "policy", kPolicies));
    const auto nice = TRY(optional_integer_within(*reader, "nice", kLowestNice, kHighestNice));
    out.nice = static_cast<std::int32_t>(nice.value_or(0));
    out.priority = TRY(uint_or<std::uint32_t>(*reader, "priority", 0, kHighestPriority));
    out.flags = TRY(bits_of_words<std::uint64_t>(*reader, "flags", kSchedulerFlags));
    out.runtime = TRY(uint_or<std::uint64_t>(*reader, "runtime", 0));
    out.deadline = TRY(uint_or<std::uint64_t>(*reader, "deadline", 0));
    out.period = TRY(uint_or<std::uint64_t>(*reader, "period", 0));
    return std::optional<Scheduler>(out);
}

Result<std::optional<IoPriority>> read_io_priority(const JsonReader& process) {
    constexpr std::uint64_t kLowest = 7;
    const auto reader = TRY(section(process, "ioPriority"));
    if (!reader) {
        return std::optional<IoPriority>();
    }
    IoPriority out;
    out.io_class = TRY(base::read_word(*reader, "class", kIoClasses));
    out.priority = static_cast<int>(TRY(uint_up_to(*reader, "priority", kLowest)));
    return std::optional<IoPriority>(out);
}

Result<std::vector<std::uint32_t>> read_cpus(const JsonReader& reader, const char* key) {
    const auto list = TRY(text(reader, key));
    if (list.empty()) {
        return std::vector<std::uint32_t>();
    }
    auto cpus = parse_number_list(list, kHighestCpu);
    if (!cpus) {
        return std::move(cpus).error().with_place(place_of(reader, key));
    }
    return cpus;
}

Result<std::optional<ExecCpuAffinity>> read_affinity(const JsonReader& process) {
    const auto reader = TRY(section(process, "execCPUAffinity"));
    if (!reader) {
        return std::optional<ExecCpuAffinity>();
    }
    ExecCpuAffinity out;
    out.initial = TRY(read_cpus(*reader, "initial"));
    out.last = TRY(read_cpus(*reader, "final"));
    return std::optional<ExecCpuAffinity>(std::move(out));
}

}  // namespace

Result<int> parse_rlimit_name(std::string_view name) {
    return base::value_of(kRlimits, std::string(name), "");
}

Result<Process> read_process(const JsonReader& reader) {
    constexpr std::int64_t kMaxScore = 1000;
    Process process;
    process.terminal = TRY(flag(reader, "terminal"));
    process.console_size = TRY(read_console_size(reader));
    process.user = TRY(read_user(reader));
    process.args = TRY(reader.strings("args"));
    process.env = TRY(reader.strings("env"));
    process.cwd = TRY(text(reader, "cwd"));
    process.capabilities = TRY(read_capabilities(reader));
    process.rlimits = TRY(read_rlimits(reader));
    process.no_new_privileges = TRY(flag(reader, "noNewPrivileges"));
    process.apparmor_profile = TRY(line(reader, "apparmorProfile"));
    process.selinux_label = TRY(line(reader, "selinuxLabel"));
    if (const auto score =
            TRY(optional_integer_within(reader, "oomScoreAdj", -kMaxScore, kMaxScore))) {
        process.oom_score_adj = static_cast<int>(*score);
    }
    process.scheduler = TRY(read_scheduler(reader));
    process.io_priority = TRY(read_io_priority(reader));
    process.exec_cpu_affinity = TRY(read_affinity(reader));
    return process;
}

}  // namespace warren::spec::oci
