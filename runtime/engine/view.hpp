// What the engine tells about guests: values for list, inspect, stats, top and doctor.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/json.hpp"
#include "cgroups/cgroup.hpp"
#include "runtime/state/records.hpp"

namespace warren::engine {

enum class GuestStatus : std::uint8_t {
    Creating,  // somebody is at it right now
    Stopped,
    Starting,
    Running,
    Paused,
    Stopping,
    Destroying,
    Corrupt,  // its record could not be read; `problem` says where it was put
};
[[nodiscard]] std::string_view name(GuestStatus status);

// What the usual list shows. Of a guest that runs it is in one small file.
struct GuestBrief {
    std::string name;
    GuestStatus status = GuestStatus::Stopped;
    std::string problem;
    std::string image;
    std::string started;                   // empty: not running
    std::optional<pid_t> init_pid;         // on the host
    std::optional<std::uint32_t> id_base;  // first host id of its range
    std::string cgroup;
    std::vector<std::string> weakened;  // weaker walls, in the command line's words
    std::optional<state::LastRun> last_run;
};

struct GuestView : GuestBrief {
    spec::GuestConfig config;
    std::string created;
    std::vector<std::string> pending;  // settings that wait for a restart
    std::vector<std::string> notes;    // what was refused softly at the start
};

[[nodiscard]] base::Json to_json(const GuestView& view);

struct StatsView {
    std::string name;
    GuestStatus status = GuestStatus::Stopped;
    cgroups::Stats stats;
};

[[nodiscard]] base::Json to_json(const StatsView& view);

struct ProcessView {
    pid_t host_pid = 0;
    pid_t guest_pid = 0;
    pid_t guest_parent = 0;
    std::uint32_t guest_uid = 0;
    std::string user;  // by the guest's passwd, else the number
    char state = '?';
    std::uint64_t cpu_millis = 0;
    std::uint64_t resident_bytes = 0;
    std::string command;  // printable
};

[[nodiscard]] base::Json to_json(const ProcessView& view);

// One line of doctor.
struct Finding {
    enum class Level : std::uint8_t { Ok, Info, Warning, Cannot };
    Level level = Level::Ok;
    std::string subject;  // "memory controller"
    std::string state;    // "mounted as cgroup v1 at ..."
    std::string remedy;   // for Warning and Cannot
    std::string
        group;  // the heading it stands below: "cgroups"; a group's findings follow each other
    bool essential = false;  // with Cannot: no guest can run on this host, and doctor exits 1
};

[[nodiscard]] base::Json to_json(const Finding& finding);

}  // namespace warren::engine
