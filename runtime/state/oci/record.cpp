#include "runtime/state/oci/record.hpp"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/json_words.hpp"
#include "base/units.hpp"

namespace warren::state::oci {

namespace {

using base::Json;
using base::JsonReader;
using base::Result;
using base::Status;

constexpr base::Words<Phase, 3> kPhases{{
    {"creating", Phase::Creating},
    {"ready", Phase::Ready},
    {"deleting", Phase::Deleting},
}};

bool is_id_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '.' || c == '-';
}

Status check_version(const JsonReader& reader) {
    const auto version = TRY(reader.uint("schema_version"));
    if (version > kSchemaVersion) {
        return base::Error(base::ErrorKind::Unsupported,
                           "made by a newer warren-oci: schema version " + std::to_string(version) +
                               ", this one reads up to " + std::to_string(kSchemaVersion));
    }
    if (version == 0) {
        return base::usage_error("0 is no version").with_place("/schema_version");
    }
    return base::ok();
}

Result<std::string> read_id(const JsonReader& reader) {
    auto id = ContainerId::parse(TRY(reader.string("id")));
    if (!id) {
        return std::move(id).error().with_place("/id");
    }
    return id.value().str();
}

Result<std::string> read_time(const JsonReader& reader, const char* key) {
    auto text = TRY(reader.string(key));
    if (auto parsed = base::parse_time(text); !parsed) {
        return std::move(parsed).error().with_place(reader.pointer() + "/" + key);
    }
    return text;
}

// What lies at these paths is killed and removed: nothing outside of the tree may be named.
Result<std::string> read_inside(const JsonReader& reader, const char* key) {
    auto path = TRY(reader.optional_string(key)).value_or("");
    if (("/" + path + "/").find("/../") != std::string::npos) {
        return base::usage_error("a path with \"..\" in it")
            .with_place(reader.pointer() + "/" + key);
    }
    return path;
}

Result<std::string> read_group(const JsonReader& reader) {
    auto name = TRY(read_inside(reader, "intel_rdt"));
    if (name.find('/') != std::string::npos || name == ".") {
        return base::usage_error("no name of a group").with_place("/intel_rdt");
    }
    return name;
}

Result<uid_t> read_owner(const JsonReader& reader) {
    const auto owner = TRY(reader.uint("owner"));
    if (owner > std::numeric_limits<uid_t>::max()) {
        return base::usage_error("no user has the id " + std::to_string(owner))
            .with_place("/owner");
    }
    return static_cast<uid_t>(owner);
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
    return std::optional(init);
}

Result<std::optional<SystemdScope>> read_scope(const JsonReader& record) {
    if (!record.has("scope")) {
        return std::optional<SystemdScope>();
    }
    const auto reader = TRY(record.object("scope"));
    SystemdScope scope;
    scope.name = TRY(reader.string("name"));
    scope.user_manager = TRY(reader.boolean("user_manager"));
    return std::optional(std::move(scope));
}

Result<std::optional<ConfigSummary>> read_summary(const JsonReader& record) {
    if (!record.has("config")) {
        return std::optional<ConfigSummary>();
    }
    const auto reader = TRY(record.object("config"));
    ConfigSummary summary;
    summary.program = TRY(reader.optional_string("program"));
    summary.shuts_out_host_root = TRY(reader.boolean("user_namespace"));
    summary.read_at_start = TRY(reader.boolean("read_at_start"));
    summary.read_at_delete = TRY(reader.boolean("read_at_delete"));
    return std::optional(std::move(summary));
}

}  // namespace

Result<ContainerId> ContainerId::parse(std::string_view text) {
    constexpr std::size_t kLongest = 255;  // NAME_MAX
    const bool fits = !text.empty() && text.size() <= kLongest && text != "." && text != "..";
    if (!fits || !std::all_of(text.begin(), text.end(), is_id_character)) {
        return base::usage_error(
            "expected a container id: 1 to 255 letters, digits and _+.-, found \"" +
            std::string(text.substr(0, kLongest)) + "\"");
    }
    return ContainerId(std::string(text));
}

Json to_json(const Record& record) {
    Json out = Json::object();
    out["schema_version"] = kSchemaVersion;
    out["id"] = record.id;
    out["phase"] = base::word_of(kPhases, record.phase);
    out["oci_version"] = record.oci_version;
    out["bundle"] = record.bundle;
    out["rootfs"] = record.rootfs;
    out["created"] = record.created;
    out["owner"] = record.owner;
    out["annotations"] = Json::object();
    for (const auto& [key, value] : record.annotations) {
        out["annotations"][key] = value;
    }
    out["boot_id"] = record.boot_id;
    if (record.init) {
        out["init"] = {{"pid", record.init->pid}, {"start_time", record.init->start_time}};
    }
    out["cgroup"] = record.cgroup;
    if (record.scope) {
        out["scope"] = {{"name", record.scope->name}, {"user_manager", record.scope->user_manager}};
    }
    out["cgroup_is_ours"] = record.cgroup_is_ours;
    out["intel_rdt"] = record.intel_rdt;
    out["intel_rdt_made"] = record.intel_rdt_made;
    if (record.config) {
        out["config"] = {{"user_namespace", record.config->shuts_out_host_root},
                         {"read_at_start", record.config->read_at_start},
                         {"read_at_delete", record.config->read_at_delete}};
        if (record.config->program) {
            out["config"]["program"] = *record.config->program;
        }
    }
    out["notes"] = record.notes;
    return out;
}

Result<Record> record_from_json(const Json& json) {
    const auto reader = TRY(JsonReader::of(json));
    TRY(check_version(reader));
    Record record;
    record.id = TRY(read_id(reader));
    record.phase = TRY(base::read_word(reader, "phase", kPhases));
    record.oci_version = TRY(reader.string("oci_version"));
    record.bundle = TRY(reader.string("bundle"));
    record.rootfs = TRY(reader.string("rootfs"));
    record.created = TRY(read_time(reader, "created"));
    record.owner = TRY(read_owner(reader));
    record.annotations = TRY(reader.string_map("annotations"));
    record.boot_id = TRY(reader.string("boot_id"));
    record.init = TRY(read_init(reader));
    record.cgroup = TRY(read_inside(reader, "cgroup"));
    record.scope = TRY(read_scope(reader));
    // Earlier writers did not tell: most of theirs are.
    record.cgroup_is_ours = TRY(reader.optional_boolean("cgroup_is_ours")).value_or(true);
    record.intel_rdt = TRY(read_group(reader));
    record.intel_rdt_made = TRY(reader.optional_boolean("intel_rdt_made")).value_or(false);
    record.config = TRY(read_summary(reader));
    record.notes = TRY(reader.strings("notes"));
    return record;
}

}  // namespace warren::state::oci
