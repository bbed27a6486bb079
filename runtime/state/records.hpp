// What is remembered of a guest. Values; the schema is versioned, unknown members are kept on rewrite.
//
//   ROOT/guests/NAME/guest.json   GuestRecord: survives a reboot
//   RUN/guests/NAME.json          RunRecord: while it starts, runs or stops; void after a reboot
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/pidref.hpp"
#include "base/result.hpp"
#include "runtime/spec/guest_config.hpp"

namespace warren::state {

inline constexpr std::uint64_t kSchemaVersion = 1;
// 2: "config" may be absent. What is written by version 1 is read.
inline constexpr std::uint64_t kRunSchemaVersion = 2;

// What to do with members we do not know. Who only looks and will not save the record saves the search for them.
enum class Extra : std::uint8_t { Keep, Drop };

enum class GuestPhase : std::uint8_t {
    Creating,  // resources below are being made: a free lock means the maker died, undo
    Ready,
    Destroying,  // being undone: a free lock means go on undoing
};

struct GuestRecord {
    std::string name;
    GuestPhase phase = GuestPhase::Creating;
    spec::GuestConfig config;
    std::string created;                      // RFC 3339
    std::optional<std::uint32_t> lease;       // index of the id range; absent with --userns host
    std::shared_ptr<const base::Json> extra;  // members we do not know, at any depth: a newer
                                              // minor writer's, kept; null: none
};

enum class RunPhase : std::uint8_t {
    Starting,  // cgroup and process are being made: a free lock means undo
    Running,
    Stopping,  // a free lock means go on stopping
};

// A file as it was at one time. Replaced or written to, it has another version, but for what happens within one tick of its
// file system's clock (4 ms with HZ=250; finer from Linux 6.13). stat(2): st_ino, st_ctim.
struct FileVersion {
    std::uint64_t inode = 0;
    std::uint64_t changed = 0;  // nanoseconds since 1970
    bool operator==(const FileVersion&) const = default;
};

// What the usual list shows of a guest's record, so that it need not be read. True of this version of guest.json and of
// no other.
struct Summary {
    FileVersion of;
    std::string image;
    std::optional<std::uint32_t> lease;
    std::vector<std::string> weakened;  // spec::weakened_walls()
};

struct RunRecord {
    std::string name;
    RunPhase phase = RunPhase::Starting;
    std::string boot_id;
    std::string cgroup;  // path below the v2 mount point, as intended before it is made
    std::optional<base::PidIdentity> init;  // saved before the child is released
    std::string started;                    // RFC 3339; empty until exec happened
    bool paused = false;
    bool remove_on_stop = false;
    // What is running, once guest.json says something else; until then absent.
    std::optional<spec::GuestConfig> config;
    std::optional<Summary> summary;
    std::vector<std::string> notes;  // optional steps that failed
    std::shared_ptr<const base::Json> extra;
};

// How the last run ended, kept beside guest.json as last_run.json when it is known.
struct LastRun {
    std::string ended;             // RFC 3339
    std::optional<int> exit_code;  // 0..255, 128+signal; unknown when nobody was there to reap it
    std::string reason;  // "stopped", "exited", "killed", "out of memory", "lost in a reboot"
};

// Each is an object with "schema_version". Reading refuses, with the JSON pointer: a missing version, wrong types,
// unknown words; and as Unsupported a version that is newer than ours ("made by a newer warren").
[[nodiscard]] base::Json to_json(const GuestRecord& record);
[[nodiscard]] base::Json to_json(const RunRecord& record);
[[nodiscard]] base::Json to_json(const LastRun& last);
[[nodiscard]] base::Result<GuestRecord> guest_record_from_json(const base::Json& json);
[[nodiscard]] base::Result<GuestRecord> guest_record_from_json(const base::Json& json, Extra extra);
[[nodiscard]] base::Result<RunRecord> run_record_from_json(const base::Json& json);
[[nodiscard]] base::Result<RunRecord> run_record_from_json(const base::Json& json, Extra extra);
[[nodiscard]] base::Result<LastRun> last_run_from_json(const base::Json& json);

}  // namespace warren::state
