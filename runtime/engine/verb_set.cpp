#include "cgroups/io_none.hpp"
#include "runtime/engine/live_hostname.hpp"
#include "runtime/engine/recover.hpp"
#include "runtime/engine/views.hpp"
#include "runtime/spec/validate.hpp"

namespace warren::engine {

namespace {

// The words of the settings an update touches, in the command line's terms.
std::vector<std::string> touched_limits(const cgroups::Limits& limits) {
    std::vector<std::string> words;
    const auto add = [&](bool set, const char* word) {
        if (set) {
            words.emplace_back(word);
        }
    };
    add(limits.cpu_max_micros.has_value(), "cpus");
    add(limits.cpu_weight.has_value(), "cpu-weight");
    add(limits.cpuset.has_value(), "cpuset");
    add(limits.memory_max.has_value(), "memory");
    add(limits.memory_high.has_value(), "memory-high");
    add(limits.memory_low.has_value() || limits.memory_min.has_value(), "memory-guarantee");
    add(limits.swap_max.has_value(), "swap");
    add(limits.pids_max.has_value(), "pids");
    add(limits.io_weight.has_value(), "io-weight");
    add(!limits.io_max.empty(), "io-max");
    add(!limits.hugetlb.empty(), "hugepages");
    return words;
}

// What takes `wanted` back: the value from before, or the kernel's default where there was none.
cgroups::Limits undo_of(const cgroups::Limits& wanted, const cgroups::Limits& before) {
    constexpr std::uint64_t kDefaultWeight = 100;
    const auto none = cgroups::Limit::none();
    cgroups::Limits undo;
    const auto put = [](auto& target, const auto& touched, const auto& old, const auto& standard) {
        if (touched) {
            target = old.value_or(standard);
        }
    };
    put(undo.cpu_max_micros, wanted.cpu_max_micros, before.cpu_max_micros, none);
    put(undo.cpu_weight, wanted.cpu_weight, before.cpu_weight, kDefaultWeight);
    put(undo.cpuset, wanted.cpuset, before.cpuset, std::string());
    put(undo.memory_max, wanted.memory_max, before.memory_max, none);
    put(undo.memory_high, wanted.memory_high, before.memory_high, none);
    put(undo.memory_low, wanted.memory_low, before.memory_low, std::uint64_t{0});
    put(undo.memory_min, wanted.memory_min, before.memory_min, std::uint64_t{0});
    put(undo.swap_max, wanted.swap_max, before.swap_max, none);
    put(undo.pids_max, wanted.pids_max, before.pids_max, none);
    put(undo.io_weight, wanted.io_weight, before.io_weight, kDefaultWeight);
    for (const auto& io : wanted.io_max) {
        undo.io_max.push_back({io.major, io.minor, none, none, none, none});
    }
    for (const auto& pages : wanted.hugetlb) {
        undo.hugetlb.push_back({pages.page_size, none});
    }
    cgroups::Limits old;
    old.io_max = before.io_max;
    old.hugetlb = before.hugetlb;
    undo.merge(old);
    return undo;
}

base::Status apply_hostname(const state::RunRecord& run, const std::string& hostname) {
    const auto init = TRY(base::PidRef::open(*run.init));
    if (!init) {
        return base::Error(base::ErrorKind::Busy, run.name + " has just ended");
    }
    return set_live_hostname(*init, hostname);
}

// All of it or nothing.
base::Status apply_live(const Context& context,
                        const state::RunRecord& run,
                        const cgroups::Limits& before,
                        const spec::ConfigUpdate& update,
                        const spec::GuestConfig& merged) {
    const cgroups::Limits& wanted = update.limits;
    std::optional<cgroups::Cgroup> cgroup;
    const auto undo = [&](base::Error error) {
        if (cgroup) {
            if (auto back = cgroup->apply(undo_of(wanted, before)); !back) {
                error.add_secondary(std::move(back).error());
            }
        }
        return error;
    };
    if (!wanted.empty()) {
        cgroup = TRY(cgroups::Cgroup::open(context.host.cgroup, run.cgroup));
        if (auto applied = cgroup->apply(wanted); !applied) {
            return undo(std::move(applied).error());
        }
    }
    if (update.hostname) {
        if (auto applied = apply_hostname(run, spec::effective_hostname(merged)); !applied) {
            return undo(std::move(applied).error());
        }
    }
    return base::ok();
}

}  // namespace

base::Result<SetOutcome> Engine::set(const base::Name& name, const spec::ConfigUpdate& wanted) {
    const Context context = this->context();
    auto held = TRY(hold(context, name));
    auto& record = *held.situation.record;
    spec::ConfigUpdate update = wanted;
    cgroups::expand_io_max_none(update.limits, record.config.limits);
    const auto merged = TRY(spec::validate(spec::merge(record.config, update), host_)).get();
    SetOutcome outcome;
    auto& run = held.situation.run;
    if (run) {
        run->config = held.situation.running_config();
        TRY(apply_live(context, *run, run->config->limits, update, merged));
        context.faults.hit("set: applied");
        // From here on guest.json is not what runs, nor what was summed up.
        run->summary.reset();
        TRY(context.store.save_run(*run));
        context.faults.hit("set: kept what runs");
    }
    record.config = merged;
    TRY(context.store.save_guest(record));
    context.faults.hit("set: recorded");
    if (run) {
        run->config->limits = merged.limits;
        run->config->labels = merged.labels;
        run->config->hostname = merged.hostname;
        outcome.pending = pending_changes(*run->config, merged);
        if (*run->config == merged) {
            run->config.reset();
        }
        run->summary = TRY(summarize(context, record));
        TRY(context.store.save_run(*run));
        outcome.live = touched_limits(wanted.limits);
        if (update.hostname) {
            outcome.live.emplace_back("hostname");
        }
    } else {
        outcome.pending = touched_limits(wanted.limits);
        if (update.hostname) {
            outcome.pending.emplace_back("hostname");
        }
        if (!update.env.empty()) {
            outcome.pending.emplace_back("env");
        }
    }
    if (!update.labels.empty()) {
        outcome.live.emplace_back("label");
    }
    return outcome;
}

}  // namespace warren::engine
