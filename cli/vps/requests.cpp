#include "cli/vps/requests.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "base/units.hpp"
#include "cli/common/guest_options.hpp"
#include "cli/common/signal_name.hpp"
#include "cli/common/slice_options.hpp"

namespace warren::cli {

namespace {

constexpr std::array kStdioOptions{
    Option{"interactive", 'i', "", "pass standard input on"},
    Option{"tty", 't', "", "give it a terminal"},
    Option{"detach", 'd', "", "do not wait: leave it running"},
};
constexpr std::array kBatchOptions{
    Option{"all", 0, "", "every guest"},
    Option{"label", 0, "K=V", "every guest with this label", true},
};
constexpr std::array kStopOptions{
    Option{"time", 0, "SECONDS", "how long the guest may take by itself before it is killed (10)"},
};
constexpr std::uint64_t kSecondsMax = 365ULL * 24 * 3600;

base::Result<std::chrono::milliseconds> parse_seconds(const Arguments& arguments,
                                                      std::chrono::milliseconds otherwise) {
    const std::optional<std::string> text = arguments.value("time");
    if (!text) {
        return otherwise;
    }
    const std::uint64_t seconds = TRY(at_option("time", base::parse_uint(*text, 0, kSecondsMax)));
    return std::chrono::seconds(static_cast<std::int64_t>(seconds));
}

engine::StdioRequest parse_stdio(const Arguments& arguments) {
    engine::StdioRequest stdio;
    stdio.interactive = arguments.has("interactive");
    stdio.terminal = arguments.has("tty");
    stdio.detach = arguments.has("detach");
    return stdio;
}

// "a,b" given any number of times.
std::vector<std::string> split_commas(const std::vector<std::string>& texts) {
    std::vector<std::string> words;
    for (const std::string& text : texts) {
        std::size_t start = 0;
        while (start <= text.size()) {
            const std::size_t end = std::min(text.find(',', start), text.size());
            words.push_back(text.substr(start, end - start));
            start = end + 1;
        }
    }
    return words;
}

}  // namespace

const OptionGroup kStdioGroup{"Input and output", kStdioOptions};
const OptionGroup kBatchGroup{"Which guests, instead of names", kBatchOptions};
const Operands kBatchOperands{"NAME", 0, kAnyNumber};
const OptionGroup kStopGroup{"Stopping", kStopOptions};

base::Result<engine::CreateRequest> parse_create(const Arguments& arguments) {
    engine::CreateRequest request{TRY(parse_guest(arguments))};
    request.config.name = TRY(parse_guest_name(arguments)).str();
    return request;
}

base::Result<engine::RunRequest> parse_run(const Arguments& arguments) {
    engine::RunRequest request{TRY(parse_guest(arguments)), parse_stdio(arguments)};
    if (const auto name = arguments.value("name")) {
        request.config.name = TRY(at_option("name", base::Name::parse_guest(*name))).str();
    }
    request.config.terminal = request.stdio.terminal;
    request.config.remove_on_stop = arguments.has("rm");
    return request;
}

base::Result<engine::ExecRequest> parse_exec(const Arguments& arguments) {
    engine::ExecRequest request{TRY(parse_guest_name(arguments))};
    request.command = arguments.command();
    if (request.command.empty()) {
        return base::usage_error("CMD is missing (a login shell: warren enter " +
                                 request.name.str() + ")");
    }
    request.env = TRY(parse_env(arguments));
    request.user = arguments.value("user").value_or("");
    request.cwd = arguments.value("workdir").value_or("");
    request.stdio = parse_stdio(arguments);
    return request;
}

base::Result<engine::ExecRequest> parse_enter(const Arguments& arguments, bool on_terminal) {
    engine::ExecRequest request{TRY(parse_guest_name(arguments))};
    request.stdio.interactive = true;
    request.stdio.terminal = on_terminal;
    return request;
}

base::Result<engine::Selection> parse_selection(const Arguments& arguments) {
    engine::Selection selection;
    selection.names = TRY(parse_guests(arguments.operands()));
    selection.labels = TRY(parse_labels(arguments));
    selection.all = arguments.has("all");
    const int ways = (selection.names.empty() ? 0 : 1) + (selection.labels.empty() ? 0 : 1) +
                     (selection.all ? 1 : 0);
    if (ways == 0) {
        return base::usage_error("name a guest, or give --all or --label K=V");
    }
    if (ways > 1) {
        return base::usage_error("give names, --all or --label, not several of them");
    }
    return selection;
}

base::Result<engine::Engine::StartOptions> parse_start(const Arguments& arguments) {
    engine::Engine::StartOptions options;
    options.wait = arguments.has("wait");
    options.wait_timeout = TRY(parse_seconds(arguments, options.wait_timeout));
    if (arguments.has("time") && !options.wait) {
        return base::usage_error("option --time is of use with --wait only");
    }
    return options;
}

base::Result<engine::StopOptions> parse_stop(const Arguments& arguments) {
    engine::StopOptions options;
    options.timeout = TRY(parse_seconds(arguments, options.timeout));
    return options;
}

base::Result<int> parse_kill(const Arguments& arguments) {
    return at_option("signal", parse_signal(arguments.value("signal").value_or("KILL")));
}

base::Result<SetRequest> parse_set(const Arguments& arguments) {
    SetRequest request{TRY(parse_guest_name(arguments)), {}};
    request.update.limits = TRY(parse_slice(arguments));
    request.update.hostname = arguments.value("hostname");
    request.update.labels = TRY(parse_labels(arguments));
    request.update.env = TRY(parse_env(arguments));
    if (request.update == spec::ConfigUpdate{}) {
        return base::usage_error("nothing to set: give an option (see: warren set --help)");
    }
    return request;
}

base::Result<engine::Filters> parse_filters(const Arguments& arguments) {
    engine::Filters filters;
    for (const std::string& text : arguments.values("filter")) {
        filters.push_back(TRY(at_option("filter", parse_pair(text))));
    }
    return filters;
}

base::Result<engine::LogRequest> parse_logs(const Arguments& arguments) {
    engine::LogRequest request{TRY(parse_guest_name(arguments))};
    request.follow = arguments.has("follow");
    if (const auto text = arguments.value("lines")) {
        request.last_lines = TRY(at_option("lines", base::parse_uint(*text, 0, 1'000'000'000)));
    }
    return request;
}

base::Result<base::Name> parse_guest_name(const Arguments& arguments) {
    return base::Name::parse_guest(arguments.operands().front());
}

base::Result<BuildImage> parse_image_build(const Arguments& arguments) {
    const std::string& source = arguments.operands().front();
    const std::vector<std::string> known = images::known_templates();
    if (std::find(known.begin(), known.end(), source) == known.end()) {
        std::string list;
        for (const std::string& name : known) {
            list += (list.empty() ? "" : ", ") + name;
        }
        return base::usage_error("unknown template '" + source + "' (known: " + list + ")");
    }
    const std::string name = arguments.value("as").value_or(source);
    BuildImage build{TRY(at_option("as", base::Name::parse_image(name))), {}};
    build.request.template_name = source;
    if (const auto init = arguments.value("init")) {
        build.request.init = TRY(at_option("init", images::parse_init_system(*init)));
    }
    build.request.include = split_commas(arguments.values("include"));
    const auto& include = build.request.include;
    if (std::find(include.begin(), include.end(), "") != include.end()) {
        return base::usage_error("option --include: a package's name is empty");
    }
    return build;
}

base::Result<base::Name> parse_image_import(const Arguments& arguments) {
    const std::optional<std::string> name = arguments.value("as");
    if (!name) {
        return base::usage_error("option --as is missing");
    }
    return at_option("as", base::Name::parse_image(*name));
}

base::Result<std::vector<base::Name>> parse_images(const std::vector<std::string>& operands) {
    std::vector<base::Name> names;
    names.reserve(operands.size());
    for (const std::string& operand : operands) {
        names.push_back(TRY(base::Name::parse_image(operand)));
    }
    return names;
}

}  // namespace warren::cli
