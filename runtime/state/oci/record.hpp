// What is remembered of a container. A value; the schema is versioned. It lives as long as the boot, so what a
// newer minor writer added is not kept over a rewrite.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/json.hpp"
#include "base/pidref.hpp"
#include "base/result.hpp"

namespace warren::state::oci {

inline constexpr std::uint64_t kSchemaVersion = 1;

// 1 to 255 bytes of [A-Za-z0-9_+.-], not "." or "..". The only way from a name to a path.
class ContainerId {
public:
    [[nodiscard]] static base::Result<ContainerId> parse(std::string_view text);

    [[nodiscard]] const std::string& str() const { return text_; }

    // clang-tidy 14 takes the defaulted comparison for a null pointer.
    auto operator<=>(const ContainerId&) const = default;  // NOLINT(modernize-use-nullptr)

private:
    explicit ContainerId(std::string text) : text_(std::move(text)) {}

    std::string text_;
};

// How far the maker or remover got; what it does now is never stored.
enum class Phase : std::uint8_t {
    Creating,  // what is below is being made: a free lock means that its maker died, undo
    Ready,     // created, or more than that
    Deleting,  // being undone: a free lock means go on undoing
};

// A scope of systemd that holds the container's cgroup.
struct SystemdScope {
    std::string name;           // "libpod-ID.scope"
    bool user_manager = false;  // of the user's systemd, not of the system's
    bool operator==(const SystemdScope&) const = default;
};

// What later verbs want to know of config.json, which is long to parse for so little.
struct ConfigSummary {
    std::optional<std::string> program;  // process.args[0]; absent: no process
    bool shuts_out_host_root = true;  // by a user namespace of its own; written as "user_namespace"
    // There is more to do than `program` tells: hooks, an agent for seccomp.
    bool read_at_start = true;
    bool read_at_delete = true;
    bool operator==(const ConfigSummary&) const = default;
};

struct Record {
    std::string id;
    Phase phase = Phase::Creating;
    std::string oci_version;  // as in the config
    std::string bundle;       // absolute
    std::string rootfs;       // absolute; for `list`
    std::string created;      // RFC 3339
    uid_t owner = 0;          // who created it
    std::map<std::string, std::string> annotations;
    std::string boot_id;                    // of the boot that `init` is a number of
    std::optional<base::PidIdentity> init;  // saved before the child is released
    // Path below the v2 mount point, saved before it is made; empty: none of its own.
    std::string cgroup;
    std::optional<SystemdScope> scope;  // saved before it is asked for
    // Saved when they have been made. Until then a process in there may be another's, whom the config names.
    bool cgroup_is_ours = false;
    std::string intel_rdt;                // name of the resctrl group; empty: none
    bool intel_rdt_made = false;          // by us: removed with the container
    std::optional<ConfigSummary> config;  // absent: config.json itself is to be read
    std::vector<std::string> notes;       // optional steps that failed
    bool operator==(const Record&) const = default;
};

// An object with "schema_version". Reading refuses, with the JSON pointer: a missing version, wrong types, unknown words, ids
// and cgroup paths that no writer of ours could have meant; and as Unsupported a version that is newer than ours.
[[nodiscard]] base::Json to_json(const Record& record);
[[nodiscard]] base::Result<Record> record_from_json(const base::Json& json);

}  // namespace warren::state::oci
