// GuestConfig to JSON and back. A member that is added here needs a place in both directions and in
// the golden test.
#include <nlohmann/json.hpp>

#include "base/excerpt.hpp"
#include "base/json_words.hpp"
#include "runtime/spec/guest_config.hpp"

namespace warren::spec {

namespace {

using base::Json;
using base::JsonReader;
using base::read_word;
using base::read_word_or;
using base::Result;
using base::word_of;

constexpr base::Words<isolation::GuestKind, 2> kKinds{{
    {"machine", isolation::GuestKind::Machine},
    {"command", isolation::GuestKind::Command},
}};
constexpr base::Words<Wall, 2> kWalls{{{"private", Wall::Private}, {"host", Wall::Host}}};
constexpr base::Words<netns::Mode, 2> kNetworkModes{{
    {"private", netns::Mode::Private},
    {"host", netns::Mode::Host},
}};

enum class Seccomp : std::uint8_t { Default, Unconfined, File };
constexpr base::Words<Seccomp, 3> kSeccomp{{
    {"default", Seccomp::Default},
    {"unconfined", Seccomp::Unconfined},
    {"file", Seccomp::File},
}};

Result<std::uint64_t> read_capabilities(const JsonReader& reader, const char* key) {
    std::uint64_t mask = 0;
    const auto names = TRY(reader.strings(key));
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto capability = isolation::parse_capability(names[i]);
        if (!capability) {
            return std::move(capability)
                .error()
                .with_place(reader.pointer() + "/" + key + "/" + std::to_string(i));
        }
        mask |= capability.value();
    }
    return mask;
}

Result<bool> read_flag(const JsonReader& reader, const char* key) {
    return TRY(reader.optional_boolean(key)).value_or(false);
}

Result<std::string> read_text(const JsonReader& reader, const char* key, const char* otherwise) {
    return TRY(reader.optional_string(key)).value_or(otherwise);
}

Json to_json(const std::vector<BindMount>& mounts) {
    Json out = Json::array();
    for (const auto& mount : mounts) {
        out.push_back(
            {{"source", mount.source}, {"target", mount.target}, {"read_only", mount.read_only}});
    }
    return out;
}

Result<std::vector<BindMount>> read_mounts(const JsonReader& config) {
    std::vector<BindMount> mounts;
    for (const auto& reader : TRY(config.objects("mounts"))) {
        BindMount mount;
        mount.source = TRY(reader.string("source"));
        mount.target = TRY(reader.string("target"));
        mount.read_only = TRY(read_flag(reader, "read_only"));
        mounts.push_back(std::move(mount));
    }
    return mounts;
}

Json to_json(const Security& security) {
    auto seccomp = Seccomp::Default;
    if (security.seccomp_unconfined) {
        seccomp = Seccomp::Unconfined;
    } else if (!security.seccomp_file_text.empty()) {
        seccomp = Seccomp::File;
    }
    Json out = Json::object();
    out["cap_add"] = isolation::capability_names(security.cap_add);
    out["cap_drop"] = isolation::capability_names(security.cap_drop);
    out["seccomp"] = word_of(kSeccomp, seccomp);
    if (!security.seccomp_file_text.empty()) {
        out["seccomp_profile"] = security.seccomp_file_text;
    }
    out["devices"] = Json::array();
    for (const auto& device : security.devices) {
        out["devices"].push_back({{"path", device.path}, {"access", device.access}});
    }
    out["users"] = word_of(kWalls, security.users);
    out["time"] = word_of(kWalls, security.time);
    out["read_only_root"] = security.read_only_root;
    out["no_new_privileges"] = security.no_new_privs;
    out["nesting"] = security.nesting;
    return out;
}

Result<Security> read_security(const JsonReader& reader) {
    Security security;
    security.cap_add = TRY(read_capabilities(reader, "cap_add"));
    security.cap_drop = TRY(read_capabilities(reader, "cap_drop"));
    const auto seccomp = TRY(read_word_or(reader, "seccomp", kSeccomp, Seccomp::Default));
    security.seccomp_unconfined = seccomp == Seccomp::Unconfined;
    security.seccomp_file_text = TRY(read_text(reader, "seccomp_profile", ""));
    // A lost profile must not turn into the default list unnoticed, nor the other way round.
    if ((seccomp == Seccomp::File) != !security.seccomp_file_text.empty() &&
        seccomp != Seccomp::Unconfined) {
        return base::usage_error("a seccomp profile goes with the word file, and only with it")
            .with_place(reader.pointer() + "/seccomp_profile");
    }
    for (const auto& item : TRY(reader.objects("devices"))) {
        DeviceRequest device;
        device.path = TRY(item.string("path"));
        device.access = TRY(item.string("access"));
        security.devices.push_back(std::move(device));
    }
    security.users = TRY(read_word_or(reader, "users", kWalls, Wall::Private));
    security.time = TRY(read_word_or(reader, "time", kWalls, Wall::Private));
    security.read_only_root = TRY(read_flag(reader, "read_only_root"));
    security.no_new_privs = TRY(read_flag(reader, "no_new_privileges"));
    security.nesting = TRY(read_flag(reader, "nesting"));
    return security;
}

}  // namespace

Json to_json(const GuestConfig& config) {
    Json out = Json::object();
    out["name"] = config.name;
    out["image"] = config.image;
    out["kind"] = word_of(kKinds, config.kind);
    out["hostname"] = config.hostname;
    out["command"] = config.command;
    out["init_system"] = config.init_system;
    out["env"] = config.env;
    out["cwd"] = config.cwd;
    out["terminal"] = config.terminal;
    out["remove_on_stop"] = config.remove_on_stop;
    out["labels"] = Json::object();
    for (const auto& [key, value] : config.labels) {
        out["labels"][key] = value;
    }
    out["limits"] = cgroups::to_json(config.limits);
    out["mounts"] = to_json(config.mounts);
    out["security"] = to_json(config.security);
    out["network"] = {{"mode", word_of(kNetworkModes, config.network.mode)}};
    return out;
}

Result<GuestConfig> config_from_json(const JsonReader& reader) {
    GuestConfig config;
    config.name = TRY(reader.string("name"));
    config.image = TRY(read_text(reader, "image", ""));
    config.kind = TRY(read_word(reader, "kind", kKinds));
    config.hostname = TRY(read_text(reader, "hostname", ""));
    config.command = TRY(reader.strings("command"));
    config.init_system = TRY(read_text(reader, "init_system", ""));
    config.env = TRY(reader.strings("env"));
    config.cwd = TRY(read_text(reader, "cwd", "/"));
    config.terminal = TRY(read_flag(reader, "terminal"));
    config.remove_on_stop = TRY(read_flag(reader, "remove_on_stop"));
    config.labels = TRY(reader.string_map("labels"));
    config.limits = TRY(cgroups::limits_from_json(TRY(reader.object("limits"))));
    config.mounts = TRY(read_mounts(reader));
    config.security = TRY(read_security(TRY(reader.object("security"))));
    const auto network = TRY(reader.object("network"));
    config.network.mode = TRY(read_word_or(network, "mode", kNetworkModes, netns::Mode::Private));
    return config;
}

}  // namespace warren::spec
