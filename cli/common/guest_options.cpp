#include "cli/common/guest_options.hpp"

#include <array>
#include <optional>

#include "cgroups/io_none.hpp"
#include "cli/common/slice_options.hpp"
#include "cli/common/wall_options.hpp"

namespace warren::cli {

namespace {

constexpr std::array kGuestOptions{
    Option{"image", 0, "IMG", "the image it is made from (required)", false, Hint::Image},
    Option{"hostname", 0, "H", "host name inside (the guest's name)"},
    Option{"init", 0, "PATH", "a machine's init, instead of the image's own"},
    Option{"env", 'e', "K=V", "environment variable for the init or the command", true},
    Option{"workdir", 'w', "DIR", "directory the init or the command starts in (/)"},
    Option{
        "mount", 0, "SRC:DST[:ro]", "the host's SRC is seen at DST in the guest", true, Hint::File},
    Option{"label", 0, "K=V", "a mark to find the guest by", true},
};

base::Result<std::string> parse_workdir(const std::string& text) {
    if (!text.starts_with('/')) {
        return base::usage_error("'" + text + "' is not an absolute path");
    }
    return text;
}

}  // namespace

const OptionGroup kGuestGroup{"Guest", kGuestOptions};

base::Result<std::pair<std::string, std::string>> parse_pair(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos) {
        return base::usage_error("'" + std::string(text) + "' is not K=V");
    }
    return std::pair{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

base::Result<std::map<std::string, std::string>> parse_labels(const Arguments& arguments) {
    std::map<std::string, std::string> labels;
    for (const std::string& text : arguments.values("label")) {
        auto [key, value] = TRY(at_option("label", parse_pair(text)));
        labels.insert_or_assign(std::move(key), std::move(value));
    }
    return labels;
}

base::Result<std::vector<std::string>> parse_env(const Arguments& arguments) {
    std::vector<std::string> env = arguments.values("env");
    for (const std::string& text : env) {
        TRY(at_option("env", parse_pair(text)));
    }
    return env;
}

base::Result<spec::BindMount> parse_mount(std::string_view text) {
    spec::BindMount mount;
    const std::size_t first = text.find(':');
    const std::size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
    const std::string_view mode = second == std::string_view::npos ? "rw" : text.substr(second + 1);
    mount.source = text.substr(0, first);
    mount.target =
        first == std::string_view::npos ? "" : text.substr(first + 1, second - first - 1);
    mount.read_only = mode == "ro";
    const bool paths = mount.source.starts_with('/') && mount.target.starts_with('/');
    if (!paths || (mode != "ro" && mode != "rw")) {
        return base::usage_error("'" + std::string(text) +
                                 "' is not SRC:DST or SRC:DST:ro with absolute paths");
    }
    return mount;
}

base::Result<std::vector<base::Name>> parse_guests(const std::vector<std::string>& operands) {
    std::vector<base::Name> names;
    names.reserve(operands.size());
    for (const std::string& operand : operands) {
        names.push_back(TRY(base::Name::parse_guest(operand)));
    }
    return names;
}

base::Result<spec::GuestConfig> parse_guest(const Arguments& arguments) {
    spec::GuestConfig config;
    const std::optional<std::string> image = arguments.value("image");
    if (!image) {
        return base::usage_error("option --image is missing");
    }
    config.image = TRY(at_option("image", base::Name::parse_image(*image))).str();
    config.hostname = arguments.value("hostname").value_or("");
    config.env = TRY(parse_env(arguments));
    config.cwd = TRY(at_option("workdir", parse_workdir(arguments.value("workdir").value_or("/"))));
    for (const std::string& text : arguments.values("mount")) {
        config.mounts.push_back(TRY(at_option("mount", parse_mount(text))));
    }
    config.labels = TRY(parse_labels(arguments));
    config.limits = TRY(parse_slice(arguments));
    cgroups::expand_io_max_none(config.limits, {});
    Walls walls = TRY(parse_walls(arguments));
    config.security = std::move(walls.security);
    config.network = walls.network;
    const std::optional<std::string> init = arguments.value("init");
    const bool has_command = !arguments.command().empty();
    if (init && has_command) {
        return base::usage_error("option --init: a guest has an init or a command, not both");
    }
    config.kind = has_command ? isolation::GuestKind::Command : isolation::GuestKind::Machine;
    if (init) {
        config.command = {*init};
    } else {
        config.command = arguments.command();
    }
    return config;
}

}  // namespace warren::cli
