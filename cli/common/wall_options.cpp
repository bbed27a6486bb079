#include "cli/common/wall_options.hpp"

#include <array>
#include <string>
#include <utility>

#include <fcntl.h>

#include "base/fd.hpp"
#include "isolation/capabilities.hpp"
#include "isolation/seccomp.hpp"

namespace warren::cli {

namespace {

constexpr std::array kWallOptions{
    Option{"cap-add", 0, "CAP", "allow a capability, like sys_time; 'all': every one", true},
    Option{"cap-drop", 0, "CAP", "take a capability away; 'all': every one", true},
    Option{"seccomp",
           0,
           "FILE|unconfined",
           "system call filter: a profile in the containers' JSON format, or none",
           false,
           Hint::File},
    Option{"device",
           0,
           "PATH[:rwm]",
           "give the guest a device of the host; r, w, m: read, write, make nodes",
           true,
           Hint::File},
    Option{"userns", 0, "auto|host", "user ids: a range of the guest's own (auto), or the host's"},
    Option{"time", 0, "auto|host", "clocks: counting from the guest's start (auto), or the host's"},
    Option{"network", 0, "private|host", "network: of the guest's own (private), or the host's"},
    Option{"read-only", 0, "", "the guest's root cannot be written"},
    Option{"no-new-privileges", 0, "", "set-user-ID programs and file capabilities give nothing"},
    Option{"nesting", 0, "", "allow what a container runtime inside the guest needs"},
};

constexpr std::size_t kSeccompFileBytes = 1U << 20;

base::Result<std::uint64_t> parse_capabilities(const Arguments& arguments,
                                               std::string_view option) {
    std::uint64_t mask = 0;
    for (const std::string& text : arguments.values(option)) {
        if (text == "all" || text == "ALL") {
            mask |= isolation::all_capabilities();
        } else {
            mask |= TRY(at_option(option, isolation::parse_capability(text)));
        }
    }
    return mask;
}

base::Result<std::string> read_profile(const std::string& path) {
    std::string text = TRY(base::read_file_at(AT_FDCWD, path, kSeccompFileBytes));
    TRY(base::with_context(isolation::check_seccomp_file(text), path));
    return text;
}

// A profile that cannot be used is a wrong request, whatever made it unreadable.
base::Result<std::string> parse_profile(const std::string& path) {
    base::Result<std::string> text = read_profile(path);
    if (!text && text.error().kind() != base::ErrorKind::Usage) {
        const base::Error& error = text.error();
        base::Error usage(base::ErrorKind::Usage, error.error_number(), error.what());
        return std::move(usage).with_place("option --seccomp");
    }
    return at_option("seccomp", std::move(text));
}

base::Result<spec::DeviceRequest> parse_device(const std::string& text) {
    spec::DeviceRequest device;
    const std::size_t colon = text.rfind(':');
    device.path = text.substr(0, colon);
    if (colon != std::string::npos) {
        device.access = text.substr(colon + 1);
    }
    const bool letters =
        !device.access.empty() && device.access.find_first_not_of("rwm") == std::string::npos;
    if (!device.path.starts_with('/') || !letters) {
        return base::usage_error("'" + text + "' is not PATH or PATH:rwm");
    }
    return device;
}

// `strong` is the default's word; the other word is "host".
base::Result<bool> parse_host_choice(const Arguments& arguments,
                                     std::string_view option,
                                     std::string_view strong) {
    const std::string text = arguments.value(option).value_or(std::string(strong));
    if (text != strong && text != "host") {
        base::Error error =
            base::usage_error("'" + text + "' is neither " + std::string(strong) + " nor host");
        return std::move(error).with_place("option --" + std::string(option));
    }
    return text == "host";
}

}  // namespace

const OptionGroup kWallsGroup{"Walls (what weakens one is shown by list and inspect)",
                              kWallOptions};

base::Result<Walls> parse_walls(const Arguments& arguments) {
    Walls walls;
    spec::Security& security = walls.security;
    security.cap_add = TRY(parse_capabilities(arguments, "cap-add"));
    security.cap_drop = TRY(parse_capabilities(arguments, "cap-drop"));
    const std::string seccomp = arguments.value("seccomp").value_or("");
    security.seccomp_unconfined = seccomp == "unconfined";
    if (arguments.has("seccomp") && !security.seccomp_unconfined) {
        security.seccomp_file_text = TRY(parse_profile(seccomp));
    }
    for (const std::string& text : arguments.values("device")) {
        security.devices.push_back(TRY(at_option("device", parse_device(text))));
    }
    const bool host_users = TRY(parse_host_choice(arguments, "userns", "auto"));
    const bool host_time = TRY(parse_host_choice(arguments, "time", "auto"));
    const bool host_network = TRY(parse_host_choice(arguments, "network", "private"));
    security.users = host_users ? spec::Wall::Host : spec::Wall::Private;
    security.time = host_time ? spec::Wall::Host : spec::Wall::Private;
    walls.network.mode = host_network ? netns::Mode::Host : netns::Mode::Private;
    security.read_only_root = arguments.has("read-only");
    security.no_new_privs = arguments.has("no-new-privileges");
    security.nesting = arguments.has("nesting");
    return walls;
}

}  // namespace warren::cli
