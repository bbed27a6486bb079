#include "cgroups/resctrl.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace warren::cgroups {

namespace {

constexpr const char* kSchemata = "/schemata";
constexpr const char* kCounters = "/mon_groups/";

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> pieces_of(std::string_view text, char separator) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const auto end = std::min(text.find(separator), text.size());
        if (const auto piece = trimmed(text.substr(0, end)); !piece.empty()) {
            out.push_back(piece);
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

// "L3:0=00ff;1=f": the resource, and of each of its instances the value without leading zeros.
struct Schema {
    std::string resource;
    std::map<std::string, std::string> values;
};

std::optional<Schema> parse_schema(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    Schema out{std::string(trimmed(line.substr(0, colon))), {}};
    for (const auto pair : pieces_of(line.substr(colon + 1), ';')) {
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos) {
            return std::nullopt;
        }
        std::string value(trimmed(pair.substr(equals + 1)));
        value.erase(0, std::min(value.find_first_not_of('0'), value.size() - 1));
        std::transform(value.begin(), value.end(), value.begin(), [](char c) {
            return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        out.values.insert_or_assign(std::string(trimmed(pair.substr(0, equals))), value);
    }
    return out;
}

base::Result<std::vector<Schema>> parse_schemata(std::string_view text) {
    std::vector<Schema> out;
    for (const auto line : pieces_of(text, '\n')) {
        auto schema = parse_schema(line);
        if (!schema || schema->resource.empty() ||
            schema->resource.find('/') != std::string::npos) {
            return base::usage_error("expected RESOURCE:ID=VALUE;..., found \"" +
                                     base::printable(line) + "\"");
        }
        out.push_back(std::move(*schema));
    }
    return out;
}

base::Error unsupported(std::string what) {
    return {base::ErrorKind::Unsupported, std::move(what)};
}

base::Status remove_directory(int dir, const std::string& name, const std::string& shown) {
    if (::unlinkat(dir, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
        return base::errno_error("remove " + shown);
    }
    return base::ok();
}

}  // namespace

base::Status check_group_name(const std::string& name) {
    constexpr std::array<std::string_view, 5> kTaken{".", "..", "info", "mon_groups", "mon_data"};
    const bool taken = std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end();
    if (name.empty() || taken ||
        name.find_first_of(std::string_view("/\n\0", 3)) != std::string::npos) {
        return base::usage_error("no name of a group: \"" + base::printable(name) + "\"");
    }
    return base::ok();
}

base::Result<Resctrl> Resctrl::open(const std::string& path) {
    auto dir = base::open_dir(AT_FDCWD, path);
    if (!dir || !TRY(base::exists_at(dir.value().get(), "info"))) {
        return unsupported("resctrl is not mounted at " + path);
    }
    return Resctrl(std::move(dir).value(), path);
}

base::Error Resctrl::explained(base::Error error) const {
    const auto words = base::read_file_at(dir_.get(), "info/last_cmd_status");
    const auto said = words ? trimmed(words.value()) : std::string_view();
    if (said.empty() || said == "ok") {
        return error;
    }
    return {
        error.kind(), error.error_number(), error.what() + " (\"" + base::printable(said) + "\")"};
}

base::Status Resctrl::check_resources(std::string_view schemata) const {
    for (const auto& schema : TRY(parse_schemata(schemata))) {
        if (!TRY(base::exists_at(dir_.get(), "info/" + schema.resource))) {
            return unsupported("this CPU, or the kernel, has no resource " + schema.resource +
                               " (" + path_ + "/info/" + schema.resource + " is not there)");
        }
    }
    return base::ok();
}

base::Status Resctrl::check_counters(bool occupancy, bool bandwidth) const {
    if (!occupancy && !bandwidth) {
        return base::ok();
    }
    constexpr const char* kFeatures = "info/L3_MON/mon_features";
    const auto text = base::read_file_at(dir_.get(), kFeatures);
    const auto counts = [&](std::string_view word) {
        const auto words = text ? pieces_of(text.value(), '\n') : std::vector<std::string_view>();
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    if (occupancy && !counts("llc_occupancy")) {
        return unsupported("this CPU, or the kernel, does not count cache occupancy (" + path_ +
                           "/" + kFeatures + ")");
    }
    if (bandwidth && !counts("mbm_total_bytes") && !counts("mbm_local_bytes")) {
        return unsupported("this CPU, or the kernel, does not count memory bandwidth (" + path_ +
                           "/" + kFeatures + ")");
    }
    return base::ok();
}

base::Result<bool> Resctrl::has(const std::string& group) const {
    return base::exists_at(dir_.get(), group);
}

base::Result<bool> Resctrl::make(const std::string& group) const {
    if (::mkdirat(dir_.get(), group.c_str(), 0755) == 0) {
        return true;
    }
    if (errno == EEXIST) {
        return false;
    }
    return explained(base::errno_error("make the resctrl group " + group));
}

base::Status Resctrl::write_schemata(const std::string& group, std::string_view schemata) const {
    std::string text(schemata);
    if (text.empty()) {
        return base::ok();
    }
    // The kernel takes whole lines only.
    text += text.ends_with('\n') ? "" : "\n";
    auto written = base::write_knob_at(dir_.get(), group + kSchemata, text);
    if (!written) {
        return explained(std::move(written).error());
    }
    return base::ok();
}

base::Status Resctrl::compare_schemata(const std::string& group, std::string_view schemata) const {
    const auto text = TRY(base::read_file_at(dir_.get(), group + kSchemata));
    const auto there = TRY(parse_schemata(text));
    for (const auto& wanted : TRY(parse_schemata(schemata))) {
        const auto same = std::find_if(there.begin(), there.end(), [&](const Schema& schema) {
            return schema.resource == wanted.resource;
        });
        for (const auto& [id, value] : wanted.values) {
            std::string found = "nothing";
            if (same != there.end() && same->values.count(id) != 0) {
                found = same->values.at(id);
            }
            if (found != value) {
                return base::usage_error("the group " + group + " exists and has " +
                                         wanted.resource + ":" + id + "=" + found + ", not " +
                                         value);
            }
        }
    }
    return base::ok();
}

base::Status Resctrl::make_counters(const std::string& group, const std::string& counters) const {
    const std::string path = group + kCounters + counters;
    if (::mkdirat(dir_.get(), path.c_str(), 0755) != 0 && errno != EEXIST) {
        return explained(base::errno_error("make the resctrl group " + path));
    }
    return base::ok();
}

base::Status Resctrl::add_process(const std::string& group,
                                  const std::string& counters,
                                  pid_t pid) const {
    const auto number = std::to_string(pid);
    if (auto added = base::write_knob_at(dir_.get(), group + "/tasks", number); !added) {
        return explained(std::move(added).error());
    }
    const std::string inner = group + kCounters + counters;
    if (!TRY(base::exists_at(dir_.get(), inner))) {
        return base::ok();
    }
    if (auto added = base::write_knob_at(dir_.get(), inner + "/tasks", number); !added) {
        return explained(std::move(added).error());
    }
    return base::ok();
}

base::Status Resctrl::remove(const std::string& group) const {
    return remove_directory(dir_.get(), group, "the resctrl group " + group);
}

base::Status Resctrl::remove_counters(const std::string& group, const std::string& counters) const {
    const std::string path = group + kCounters + counters;
    return remove_directory(dir_.get(), path, "the resctrl group " + path);
}

}  // namespace warren::cgroups
