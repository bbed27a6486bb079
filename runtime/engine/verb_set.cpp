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

base::Status apply_live(const Context& context,
                        const state::RunRecord& run,
                        const cgroups::Limits& wanted,
                        const cgroups::Limits& before) {
    const auto cgroup = TRY(cgroups::Cgroup::open(context.host.cgroup, run.cgroup));
    auto applied = cgroup.apply(wanted);
    if (applied) {
        return base::ok();
    }
    auto error = std::move(applied).error();
    if (auto back = cgroup.apply(before); !back) {
        error.add_secondary(std::move(back).error());
    }
    return error;
}

}  // namespace

base::Result<SetOutcome> Engine::set(const base::Name& name, const spec::ConfigUpdate& update) {
    const Context context = this->context();
    auto held = TRY(hold(context, name));
    auto& record = *held.situation.record;
    const auto merged = TRY(spec::validate(spec::merge(record.config, update), host_)).get();
    SetOutcome outcome;
    auto& run = held.situation.run;
    if (run && !update.limits.empty()) {
        TRY(apply_live(context, *run, update.limits, run->config.limits));
        context.faults.hit("set: applied");
    }
    record.config = merged;
    TRY(context.store.save_guest(record));
    context.faults.hit("set: recorded");
    if (run) {
        run->config.limits = merged.limits;
        run->config.labels = merged.labels;
        TRY(context.store.save_run(*run));
        outcome.live = touched_limits(update.limits);
        outcome.pending = pending_changes(run->config, merged);
    } else {
        outcome.pending = touched_limits(update.limits);
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
