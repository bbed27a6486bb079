// Checks of what a guest is and runs.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/ids.hpp"
#include "runtime/spec/checks.hpp"

namespace warren::spec {

namespace {

constexpr std::size_t kMaxHostname = 64;       // HOST_NAME_MAX
constexpr std::size_t kMaxHostnameLabel = 63;  // RFC 1123
constexpr std::size_t kMaxArgument =
    (128UL << 10U) - 2;                            // below MAX_ARG_STRLEN, which counts the NUL
constexpr std::size_t kMaxArguments = 3UL << 19U;  // execve(2) allows a quarter of an 8 MiB stack
constexpr std::size_t kMaxLabels = 64;
constexpr std::size_t kMaxLabelKey = 63;
constexpr std::size_t kMaxLabelValue = 4096;
constexpr std::size_t kMaxInitSystem = 32;

bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_hostname_label(std::string_view label) {
    return !label.empty() && label.size() <= kMaxHostnameLabel && label.front() != '-' &&
           label.back() != '-' &&
           std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-'; });
}

bool is_hostname(std::string_view name) {
    if (name.empty() || name.size() > kMaxHostname) {
        return false;
    }
    for (;;) {
        const auto dot = name.find('.');
        if (!is_hostname_label(name.substr(0, dot))) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return true;
        }
        name.remove_prefix(dot + 1);
    }
}

bool is_label_key(std::string_view key) {
    constexpr std::string_view kMarks = "._/-";
    return !key.empty() && key.size() <= kMaxLabelKey &&
           std::all_of(key.begin(), key.end(), [kMarks](char c) {
               return is_alnum(c) || kMarks.find(c) != std::string_view::npos;
           });
}

// What execve(2) counts: the bytes, a NUL and a pointer each.
std::size_t exec_bytes(const std::vector<std::string>& strings) {
    std::size_t total = 0;
    for (const auto& text : strings) {
        total += text.size() + 1 + sizeof(char*);
    }
    return total;
}

}  // namespace

void check_name(const GuestConfig& config, Problems& problems) {
    if (const auto name = base::Name::parse_guest(config.name); !name) {
        problems.push_back({"NAME", name.error().what()});
    }
}

void check_image(const GuestConfig& config, Problems& problems) {
    if (const auto name = base::Name::parse_image(config.image); !name) {
        problems.push_back({"--image", name.error().what()});
    }
}

void check_hostname(const GuestConfig& config, Problems& problems) {
    if (!config.hostname.empty() && !is_hostname(config.hostname)) {
        problems.push_back({"--hostname",
                            "\"" + config.hostname.substr(0, kMaxHostname) +
                                "\" is no host name: expected up to 64 letters, digits and '-', in "
                                "labels of up to 63 with '.' between them"});
    }
}

void check_command(const GuestConfig& config, Problems& problems) {
    const bool machine = config.kind == isolation::GuestKind::Machine;
    const std::string place = machine ? "--init" : "CMD";
    if (config.command.empty() || config.command.front().empty()) {
        problems.push_back({place,
                            machine ? "the image names no init; add --init PATH, or -- CMD to run "
                                      "just a command"
                                    : "the command is empty"});
        return;
    }
    if (machine && !config.command.front().starts_with('/')) {
        problems.push_back({place, "\"" + config.command.front() + "\" is not an absolute path"});
    }
    for (std::size_t i = 0; i < config.command.size(); ++i) {
        if (const auto why = bad_text(config.command[i], kMaxArgument)) {
            problems.push_back({i == 0 ? place : "ARG " + std::to_string(i), *why});
        }
    }
    if (exec_bytes(config.command) > kMaxArguments) {
        problems.push_back(
            {place, "longer than " + std::to_string(kMaxArguments) + " bytes with its arguments"});
    }
}

void check_init_system(const GuestConfig& config, Problems& problems) {
    const auto& word = config.init_system;
    if (word.size() > kMaxInitSystem ||
        !std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; })) {
        problems.push_back({"--init", "the image names an init system that is no plain word"});
    }
}

void check_terminal(const GuestConfig& config, Problems& problems) {
    if (config.terminal && config.kind == isolation::GuestKind::Machine) {
        problems.push_back(
            {"-t", "only a guest that runs a command can have a terminal; add -- CMD"});
    }
}

void check_cwd(const GuestConfig& config, Problems& problems) {
    if (const auto why = bad_path(config.cwd)) {
        problems.push_back({"--workdir", *why});
    }
}

void check_env(const GuestConfig& config, Problems& problems) {
    for (std::size_t i = 0; i < config.env.size(); ++i) {
        const auto& entry = config.env[i];
        const auto equals = entry.find('=');
        if (const auto why = bad_text(entry, kMaxArgument)) {
            problems.push_back({nth("--env", i), *why});
        } else if (equals == std::string::npos || equals == 0) {
            problems.push_back({nth("--env", i), "expected KEY=VALUE, found \"" + entry + "\""});
        }
    }
    const auto command = exec_bytes(config.command);
    if (command <= kMaxArguments && command + exec_bytes(config.env) > kMaxArguments) {
        problems.push_back(
            {"--env",
             "longer than " + std::to_string(kMaxArguments) + " bytes together with the command"});
    }
}

void check_labels(const GuestConfig& config, Problems& problems) {
    if (config.labels.size() > kMaxLabels) {
        problems.push_back({"--label", "more than " + std::to_string(kMaxLabels) + " labels"});
    }
    for (const auto& [key, value] : config.labels) {
        const auto place = "--label " + key.substr(0, kMaxLabelKey);
        if (!is_label_key(key)) {
            problems.push_back(
                {place, "expected a key of 1 to 63 letters, digits, '.', '_', '/' or '-'"});
        }
        if (const auto why = bad_text(value, kMaxLabelValue)) {
            problems.push_back({place, "the value is " + *why});
        } else if (base::printable(value) != value) {
            problems.push_back({place, "the value has a control character"});
        }
    }
}

// Each reader bounds its own numbers; a record beyond them would be set aside as damaged.
void check_readable(const GuestConfig& config, Problems& problems) {
    const auto json = to_json(config);
    const auto reader = base::JsonReader::of(json);
    const auto read =
        reader ? config_from_json(reader.value()) : base::Result<GuestConfig>(reader.error());
    if (!read) {
        problems.push_back({read.error().place(), read.error().what()});
    }
}

}  // namespace warren::spec
