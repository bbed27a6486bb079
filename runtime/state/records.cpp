#include "runtime/state/records.hpp"

#include <limits>

#include <nlohmann/json.hpp>

#include "base/ids.hpp"
#include "base/json_words.hpp"
#include "base/units.hpp"
#include "runtime/state/extra.hpp"
#include "runtime/state/store.hpp"

namespace warren::state {

namespace {

using base::Json;
using base::JsonReader;
using base::read_word;
using base::Result;
using base::Status;
using base::word_of;

constexpr base::Words<GuestPhase, 3> kGuestPhases{{
    {"creating", GuestPhase::Creating},
    {"ready", GuestPhase::Ready},
    {"destroying", GuestPhase::Destroying},
}};
constexpr base::Words<RunPhase, 3> kRunPhases{{
    {"starting", RunPhase::Starting},
    {"running", RunPhase::Running},
    {"stopping", RunPhase::Stopping},
}};

Result<std::uint64_t> check_version(const JsonReader& reader, std::uint64_t newest) {
    const auto version = TRY(reader.uint("schema_version"));
    if (version > newest) {
        return base::Error(base::ErrorKind::Unsupported,
                           "made by a newer warren: schema version " + std::to_string(version) +
                               ", this one reads up to " + std::to_string(newest));
    }
    if (version == 0) {
        return base::usage_error("0 is no version")
            .with_place(reader.pointer() + "/schema_version");
    }
    return version;
}

Result<std::string> read_name(const JsonReader& reader) {
    const auto name = TRY(reader.string("name"));
    if (auto checked = base::Name::parse_guest(name); !checked) {
        return std::move(checked).error().with_place(reader.pointer() + "/name");
    }
    return name;
}

Result<std::string> read_time(const JsonReader& reader, const char* key) {
    auto text = TRY(reader.string(key));
    if (auto parsed = base::parse_time(text); !parsed) {
        return std::move(parsed).error().with_place(reader.pointer() + "/" + key);
    }
    return text;
}

Result<spec::GuestConfig> read_config(const JsonReader& reader, const std::string& name) {
    auto config = TRY(spec::config_from_json(TRY(reader.object("config"))));
    if (config.name != name) {
        return base::usage_error("the config of \"" + config.name + "\", not of \"" + name + "\"")
            .with_place(reader.pointer() + "/config/name");
    }
    return config;
}

Result<std::optional<std::uint32_t>> read_lease(const JsonReader& reader) {
    const auto lease = TRY(reader.optional_uint("lease"));
    if (!lease) {
        return std::optional<std::uint32_t>();
    }
    if (*lease >= kLeaseCount) {
        return base::usage_error("no lease has the index " + std::to_string(*lease))
            .with_place(reader.pointer() + "/lease");
    }
    return std::optional<std::uint32_t>(static_cast<std::uint32_t>(*lease));
}

// What lies at this path is killed and removed: nothing outside the v2 tree may be named.
Result<std::string> read_cgroup(const JsonReader& reader) {
    auto path = TRY(reader.string("cgroup"));
    if (("/" + path + "/").find("/../") != std::string::npos) {
        return base::usage_error("a path with \"..\" in it")
            .with_place(reader.pointer() + "/cgroup");
    }
    return path;
}

Result<std::optional<base::PidIdentity>> read_init(const JsonReader& record) {
    if (!record.has("init")) {
        return std::optional<base::PidIdentity>();
    }
    const auto reader = TRY(record.object("init"));
    const auto pid = TRY(reader.uint("pid"));
    if (pid < 1 || pid > static_cast<std::uint64_t>(std::numeric_limits<pid_t>::max())) {
        return base::usage_error("no process has the number " + std::to_string(pid))
            .with_place(reader.pointer() + "/pid");
    }
    base::PidIdentity init;
    init.pid = static_cast<pid_t>(pid);
    init.start_time = TRY(reader.uint("start_time"));
    init.pidfd_inode = TRY(reader.optional_uint("pidfd_inode")).value_or(0);
    return std::optional(init);
}

Result<std::optional<Summary>> read_summary(const JsonReader& record) {
    if (!record.has("summary")) {
        return std::optional<Summary>();
    }
    const auto reader = TRY(record.object("summary"));
    Summary summary;
    summary.of.inode = TRY(reader.uint("inode"));
    summary.of.changed = TRY(reader.uint("changed"));
    summary.image = TRY(reader.string("image"));
    summary.lease = TRY(read_lease(reader));
    summary.weakened = TRY(reader.strings("weakened"));
    return std::optional(std::move(summary));
}

Json versioned(std::uint64_t version) {
    Json out = Json::object();
    out["schema_version"] = version;
    return out;
}

Json init_json(const base::PidIdentity& init) {
    Json out = {{"pid", init.pid}, {"start_time", init.start_time}};
    if (init.pidfd_inode != 0) {
        out["pidfd_inode"] = init.pidfd_inode;
    }
    return out;
}

Json summary_json(const Summary& summary) {
    Json out = {
        {"inode", summary.of.inode}, {"changed", summary.of.changed}, {"image", summary.image}};
    if (summary.lease) {
        out["lease"] = *summary.lease;
    }
    out["weakened"] = summary.weakened;
    return out;
}

std::shared_ptr<const Json> kept(Json extra) {
    return extra.empty() ? nullptr : std::make_shared<const Json>(std::move(extra));
}

}  // namespace

Json to_json(const GuestRecord& record) {
    Json out = versioned(kSchemaVersion);
    out["name"] = record.name;
    out["phase"] = word_of(kGuestPhases, record.phase);
    out["created"] = record.created;
    if (record.lease) {
        out["lease"] = *record.lease;
    }
    out["config"] = spec::to_json(record.config);
    return record.extra ? with_members(std::move(out), *record.extra) : out;
}

Result<GuestRecord> guest_record_from_json(const Json& json) {
    return guest_record_from_json(json, Extra::Keep);
}

Result<GuestRecord> guest_record_from_json(const Json& json, Extra extra) {
    const auto reader = TRY(JsonReader::of(json));
    TRY(check_version(reader, kSchemaVersion));
    GuestRecord record;
    record.name = TRY(read_name(reader));
    record.phase = TRY(read_word(reader, "phase", kGuestPhases));
    record.created = TRY(read_time(reader, "created"));
    record.lease = TRY(read_lease(reader));
    record.config = TRY(read_config(reader, record.name));
    if (extra == Extra::Keep) {
        record.extra = kept(unknown_members(json, to_json(record)));
    }
    return record;
}

Json to_json(const RunRecord& record) {
    Json out = versioned(kRunSchemaVersion);
    out["name"] = record.name;
    out["phase"] = word_of(kRunPhases, record.phase);
    out["boot_id"] = record.boot_id;
    out["cgroup"] = record.cgroup;
    if (record.init) {
        out["init"] = init_json(*record.init);
    }
    out["started"] = record.started;
    out["paused"] = record.paused;
    out["remove_on_stop"] = record.remove_on_stop;
    out["notes"] = record.notes;
    if (record.summary) {
        out["summary"] = summary_json(*record.summary);
    }
    if (record.config) {
        out["config"] = spec::to_json(*record.config);
    }
    return record.extra ? with_members(std::move(out), *record.extra) : out;
}

Result<RunRecord> run_record_from_json(const Json& json) {
    return run_record_from_json(json, Extra::Keep);
}

Result<RunRecord> run_record_from_json(const Json& json, Extra extra) {
    const auto reader = TRY(JsonReader::of(json));
    const auto version = TRY(check_version(reader, kRunSchemaVersion));
    RunRecord record;
    record.name = TRY(read_name(reader));
    record.phase = TRY(read_word(reader, "phase", kRunPhases));
    record.boot_id = TRY(reader.string("boot_id"));
    record.cgroup = TRY(read_cgroup(reader));
    record.init = TRY(read_init(reader));
    if (!TRY(reader.string("started")).empty()) {
        record.started = TRY(read_time(reader, "started"));
    }
    record.paused = TRY(reader.boolean("paused"));
    record.remove_on_stop = TRY(reader.boolean("remove_on_stop"));
    record.notes = TRY(reader.strings("notes"));
    record.summary = TRY(read_summary(reader));
    if (version == 1 || reader.has("config")) {
        record.config = TRY(read_config(reader, record.name));
    }
    if (extra == Extra::Keep) {
        record.extra = kept(unknown_members(json, to_json(record)));
    }
    return record;
}

Json to_json(const LastRun& last) {
    Json out = versioned(kSchemaVersion);
    out["ended"] = last.ended;
    if (last.exit_code) {
        out["exit_code"] = *last.exit_code;
    }
    out["reason"] = last.reason;
    return out;
}

Result<LastRun> last_run_from_json(const Json& json) {
    constexpr std::int64_t kMaxExitCode = 255;
    const auto reader = TRY(JsonReader::of(json));
    TRY(check_version(reader, kSchemaVersion));
    LastRun last;
    last.ended = TRY(read_time(reader, "ended"));
    if (const auto code = TRY(reader.optional_integer("exit_code"))) {
        if (*code < 0 || *code > kMaxExitCode) {
            return base::usage_error("no exit status is " + std::to_string(*code))
                .with_place("/exit_code");
        }
        last.exit_code = static_cast<int>(*code);
    }
    last.reason = TRY(reader.string("reason"));
    return last;
}

}  // namespace warren::state
