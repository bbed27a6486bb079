#include <nlohmann/json.hpp>

#include "runtime/engine/view.hpp"

namespace warren::engine {

namespace {

template <typename T>
void put(base::Json& json, const char* key, const std::optional<T>& value) {
    if (value) {
        json[key] = *value;
    }
}

}  // namespace

base::Json to_json(const GuestView& view) {
    base::Json json;
    json["name"] = view.name;
    json["status"] = name(view.status);
    if (!view.problem.empty()) {
        json["problem"] = view.problem;
        return json;
    }
    json["image"] = view.image;
    json["kind"] = view.config.kind == isolation::GuestKind::Machine ? "machine" : "command";
    json["created"] = view.created;
    if (!view.started.empty()) {
        json["started"] = view.started;
    }
    put(json, "pid", view.init_pid);
    put(json, "id_base", view.id_base);
    if (!view.cgroup.empty()) {
        json["cgroup"] = view.cgroup;
    }
    json["weakened_walls"] = view.weakened;
    json["pending_restart"] = view.pending;
    json["notes"] = view.notes;
    json["config"] = spec::to_json(view.config);
    if (view.last_run) {
        json["last_run"] = state::to_json(*view.last_run);
    }
    return json;
}

base::Json to_json(const StatsView& view) {
    const cgroups::Stats& stats = view.stats;
    base::Json json;
    json["name"] = view.name;
    json["status"] = name(view.status);
    put(json, "cpu_usage_micros", stats.cpu_usage_micros);
    put(json, "cpu_user_micros", stats.cpu_user_micros);
    put(json, "cpu_system_micros", stats.cpu_system_micros);
    put(json, "cpu_throttled_micros", stats.cpu_throttled_micros);
    put(json, "memory_bytes", stats.memory_bytes);
    put(json, "memory_peak_bytes", stats.memory_peak_bytes);
    put(json, "memory_max_bytes", stats.memory_max_bytes);
    put(json, "memory_file_bytes", stats.memory_file_bytes);
    put(json, "memory_anon_bytes", stats.memory_anon_bytes);
    put(json, "swap_bytes", stats.swap_bytes);
    put(json, "oom_kills", stats.oom_kills);
    put(json, "memory_max_hits", stats.memory_max_hits);
    put(json, "pids", stats.pids);
    put(json, "pids_max", stats.pids_max);
    put(json, "io_read_bytes", stats.io_read_bytes);
    put(json, "io_write_bytes", stats.io_write_bytes);
    put(json, "io_reads", stats.io_reads);
    put(json, "io_writes", stats.io_writes);
    if (!stats.pressure_some_avg10.empty()) {
        json["pressure_some_avg10"] = stats.pressure_some_avg10;
    }
    return json;
}

base::Json to_json(const ProcessView& view) {
    base::Json json;
    json["host_pid"] = view.host_pid;
    json["pid"] = view.guest_pid;
    json["parent"] = view.guest_parent;
    json["uid"] = view.guest_uid;
    json["user"] = view.user;
    json["state"] = std::string(1, view.state);
    json["cpu_millis"] = view.cpu_millis;
    json["resident_bytes"] = view.resident_bytes;
    json["command"] = view.command;
    return json;
}

base::Json to_json(const Finding& finding) {
    base::Json json;
    switch (finding.level) {
        case Finding::Level::Ok:
            json["level"] = "ok";
            break;
        case Finding::Level::Info:
            json["level"] = "info";
            break;
        case Finding::Level::Warning:
            json["level"] = "warning";
            break;
        case Finding::Level::Cannot:
            json["level"] = "cannot";
            break;
    }
    json["group"] = finding.group;
    json["subject"] = finding.subject;
    json["state"] = finding.state;
    json["remedy"] = finding.remedy;
    json["essential"] = finding.essential;
    return json;
}

}  // namespace warren::engine
