// What a guest is meant to be: one value that every front end parses into and the engine plans from. It only
// composes the modules' own config types.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "cgroups/limits.hpp"
#include "isolation/capabilities.hpp"
#include "isolation/seccomp.hpp"
#include "isolation/types.hpp"
#include "netns/config.hpp"

namespace warren::spec {

// Whether a guest has a namespace of its own. Host is a weaker wall and always a named choice.
enum class Wall : std::uint8_t { Private, Host };

struct BindMount {
    std::string source;  // absolute on the host
    std::string target;  // absolute in the guest
    bool read_only = false;
    bool operator==(const BindMount&) const = default;
};

struct DeviceRequest {
    std::string path;            // a device node on the host, the same path in the guest
    std::string access = "rwm";  // letters of rwm
    bool operator==(const DeviceRequest&) const = default;
};

struct Security {
    // Capability masks; bounding_capabilities() says what they make together.
    std::uint64_t cap_add = 0;
    std::uint64_t cap_drop = 0;
    bool seccomp_unconfined = false;
    std::string seccomp_file_text;  // a profile's content; empty: the kind's own list
    std::vector<DeviceRequest> devices;
    Wall users = Wall::Private;
    Wall time = Wall::Private;
    bool read_only_root = false;
    bool no_new_privs = false;
    bool nesting = false;
    bool operator==(const Security&) const = default;
};

struct GuestConfig {
    std::string name;
    std::string image;
    isolation::GuestKind kind = isolation::GuestKind::Machine;
    std::string hostname;  // empty: the name, with what a host name cannot have replaced
    std::vector<std::string>
        command;  // Command guests: argv. Machine guests: {init path}, from the image at create
    std::string init_system;       // Machine: images::name(InitSystem); chooses how to stop it
    std::vector<std::string> env;  // "K=V", in order
    std::string cwd = "/";
    bool terminal = false;        // Command guests: a pty
    bool remove_on_stop = false;  // --rm: volatile disk, destroyed when it ends
    std::map<std::string, std::string> labels;
    cgroups::Limits limits;
    std::vector<BindMount> mounts;
    Security security;
    netns::NetworkConfig network;
    bool operator==(const GuestConfig&) const = default;
};

// {"name": "web1", "kind": "machine", "limits": {...}, "security": {"cap_add": ["CAP_NET_RAW"], "users": "private", ...}, ...}:
// sizes in bytes as integers, capabilities as arrays of names. Reading refuses wrong types and unknown words with the
// JSON pointer, takes the default for what is absent (but name and kind), and checks nothing else: validate() does.
[[nodiscard]] base::Json to_json(const GuestConfig& config);
[[nodiscard]] base::Result<GuestConfig> config_from_json(const base::JsonReader& reader);

// The walls that are weaker than the default, in the command line's words ("--userns host"): for list and inspect.
[[nodiscard]] std::vector<std::string> weakened_walls(const GuestConfig& config);

// The guest's bounding set: the kind's default, with cap_add and without cap_drop. To drop every capability leaves just
// cap_add; to add every one leaves out just cap_drop.
[[nodiscard]] std::uint64_t bounding_capabilities(const GuestConfig& config);

// The host name the guest gets: the configured one, else the name with what RFC 1123 does not allow replaced.
[[nodiscard]] std::string effective_hostname(const GuestConfig& config);

// `env` with the entries of `newer` in the place of those with the same key, or at the end.
[[nodiscard]] std::vector<std::string> merge_env(std::vector<std::string> env,
                                                 const std::vector<std::string>& newer);

// What `set` may change. Absent members stay.
struct ConfigUpdate {
    cgroups::Limits limits;
    std::optional<std::string> hostname;
    std::map<std::string, std::string> labels;  // an empty value removes the label
    std::vector<std::string> env;               // replaces by key; "K=" sets it empty
    bool operator==(const ConfigUpdate&) const = default;
};

[[nodiscard]] GuestConfig merge(GuestConfig config, const ConfigUpdate& update);

}  // namespace warren::spec
