#include "cgroups/placement.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "cgroups/cgroup_path.hpp"

namespace warren::cgroups {

namespace {

constexpr const char* kPlace = "/linux/cgroupsPath";
constexpr const char* kScope = ".scope";
constexpr std::string_view kSliceSuffix = ".slice";
constexpr const char* kDefaultPrefix = "warren-oci";
constexpr std::size_t kUnitNameMax = 255;

base::Error refuse(std::string text) {
    return base::usage_error(std::move(text)).with_place(kPlace);
}

struct ScopePath {
    std::string slice, prefix, name;
};

// The form "SLICE:PREFIX:NAME".
std::optional<ScopePath> parse_scope_path(const std::string& text) {
    const auto first = text.find(':');
    const auto second = first == std::string::npos ? first : text.find(':', first + 1);
    if (second == std::string::npos || text.find_first_of(":/", second + 1) != std::string::npos ||
        text.find('/') != std::string::npos) {
        return std::nullopt;
    }
    return ScopePath{
        text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
}

bool is_unit_name(const std::string& name) {
    constexpr const char* kLetters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
    return !name.empty() && name.size() <= kUnitNameMax &&
           name.find_first_not_of(kLetters) == std::string::npos;
}

// As systemd-escape(1) does to the one letter that container ids may have and units may not.
std::string escape_id(const std::string& id) {
    std::string out;
    for (const char c : id) {
        if (c == '+') {
            out += "\\x2b";
        } else {
            out += c;
        }
    }
    return out;
}

// "a-b.slice" is in "a.slice": the path of the slice's cgroup, "" for the root slice "-.slice".
base::Result<std::string> expand_slice(const std::string& slice) {
    const auto invalid = [&slice] { return refuse("invalid slice \"" + slice + "\""); };
    if (!is_unit_name(slice) || !slice.ends_with(kSliceSuffix)) {
        return invalid();
    }
    const auto stem = slice.substr(0, slice.size() - kSliceSuffix.size());
    if (stem == "-") {
        return std::string();
    }
    if (stem.empty() || stem.starts_with('-') || stem.ends_with('-') ||
        stem.find("--") != std::string::npos) {
        return invalid();
    }
    std::string path;
    for (std::size_t dash = 0; dash != std::string::npos;) {
        dash = stem.find('-', dash + 1);
        path += "/" + stem.substr(0, dash) + std::string(kSliceSuffix);
    }
    return path;
}

base::Result<ScopePath> choose_scope(const PlacementRequest& request) {
    ScopePath scope;
    if (request.cgroups_path.empty()) {
        scope = {"", kDefaultPrefix, escape_id(request.id)};
    } else {
        const auto parsed = parse_scope_path(request.cgroups_path);
        if (!parsed) {
            return refuse("expected SLICE:PREFIX:NAME with --systemd-cgroup, not \"" +
                          request.cgroups_path + "\"");
        }
        scope = *parsed;
    }
    if (scope.slice.empty()) {
        scope.slice = request.rootless ? "user.slice" : "system.slice";
    }
    if (scope.name.ends_with(kSliceSuffix)) {
        return refuse("a container is a scope, not the slice \"" + scope.name + "\"");
    }
    return scope;
}

base::Result<std::vector<UnitProperty>> read_annotations(
    const std::map<std::string, std::string>& annotations) {
    constexpr std::string_view kPrefix = "org.systemd.property.";
    // Without these the scope is not one that can hold a container.
    static constexpr std::array<std::string_view, 3> kOurs = {"PIDs", "Slice", "Delegate"};
    std::vector<UnitProperty> properties;
    for (const auto& [key, value] : annotations) {
        if (!key.starts_with(kPrefix)) {
            continue;
        }
        const auto name = key.substr(kPrefix.size());
        const auto pointer = "/annotations/" + key;
        if (std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end()) {
            return base::usage_error("systemd property \"" + name + "\" is the runtime's to set")
                .with_place(pointer);
        }
        properties.push_back(TRY(parse_unit_property(name, value, pointer)));
    }
    return properties;
}

base::Result<std::string> choose_path(const Host& host, const PlacementRequest& request) {
    const auto& wish = request.cgroups_path;
    if (parse_scope_path(wish)) {
        return refuse("\"" + wish + "\" is a path for --systemd-cgroup");
    }
    auto path = normalise_cgroup_path(wish.empty() ? request.id : wish);
    if (!path) {
        return std::move(path).error().with_place(kPlace);
    }
    if (!request.rootless || wish.starts_with('/')) {
        return path;
    }
    const auto beside = parent_of(host.own_path);
    return beside == "/" ? path.value() : beside + path.value();
}

}  // namespace

base::Result<Placement> Placement::resolve(const Host& host, const PlacementRequest& request) {
    if (host.mode == HostMode::Absent) {
        return base::Error(base::ErrorKind::Unsupported,
                           "this host has no cgroup v2 tree mounted, boot with "
                           "systemd.unified_cgroup_hierarchy=1, or mount -t cgroup2 none "
                           "/sys/fs/cgroup");
    }
    Placement place;
    place.rootless_ = request.rootless;
    place.description_ = "warren-oci container " + request.id;
    if (!request.systemd) {
        place.record_.path = TRY(choose_path(host, request));
        return place;
    }
    const auto scope = TRY(choose_scope(request));
    const auto unit = (scope.prefix.empty() ? "" : scope.prefix + "-") + scope.name + kScope;
    if (scope.name.empty() || !is_unit_name(unit)) {
        return refuse("invalid scope \"" + unit + "\"");
    }
    const auto slice_path = TRY(expand_slice(scope.slice));
    if (!host.systemd && !request.rootless) {
        return base::Error(base::ErrorKind::Unsupported,
                           "systemd is not running here, leave out --systemd-cgroup");
    }
    place.slice_ = scope.slice;
    place.record_.scope = unit;
    place.record_.user_manager = request.rootless;
    if (!request.rootless) {
        place.record_.path = slice_path + "/" + unit;
    }
    place.properties_ = TRY(read_annotations(request.annotations));
    return place;
}

}  // namespace warren::cgroups
