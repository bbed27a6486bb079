// From words to a verb and its exit code.
#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/vps/help.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

int exit_of(const Verb& verb, const base::Error& error) {
    return verb.exit == Exit::Commands ? command_exit_code(error) : exit_code(error);
}

std::string spaced(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += " " + word;
    }
    return text;
}

// What the verb's own options and the global ones together ask for.
base::Status merge(Globals& globals, const Verb& verb, const Arguments& arguments) {
    globals.json = globals.json || arguments.has("json");
    globals.dry_run = globals.dry_run || arguments.has("dry-run");
    if (globals.dry_run && !verb.can_dry_run) {
        return base::usage_error("--dry-run is for create, start and run");
    }
    return base::ok();
}

int finish(const Verb& verb, const App& app, int code) {
    const base::Status written = app.console.status();
    if (!written) {
        app.console.error(verb.name, written.error());
        return code != kExitDone ? code : exit_of(verb, written.error());
    }
    return code;
}

int run_verb(const FoundVerb& found, App& app, const std::string& command_line, bool is_root) {
    const Verb& verb = *found.verb;
    const base::Result<Arguments> parsed =
        Arguments::parse(verb.groups, verb.operands, found.words);
    if (!parsed) {
        const std::string hint = " (see: warren " + std::string(verb.name) + " --help)";
        app.console.error(verb.name, parsed.error().describe() + hint);
        return exit_of(verb, parsed.error());
    }
    const Arguments& arguments = parsed.value();
    if (arguments.has("help")) {
        app.console.print(verb_help(verb));
        return finish(verb, app, kExitDone);
    }
    if (verb.needs_root && !is_root) {
        app.console.error(
            "", base::printable("must be run as root (try: sudo warren" + command_line + ")"));
        return verb.exit == Exit::Commands ? kExitOurs : kExitFailed;
    }
    const base::Status merged = merge(app.globals, verb, arguments);
    if (!merged) {
        app.console.error(verb.name, merged.error());
        return exit_of(verb, merged.error());
    }
    const base::Result<int> code = verb.handler(app, arguments);
    if (!code) {
        const std::string subject = app.subject.empty() ? "" : " " + base::printable(app.subject);
        app.console.error(std::string(verb.name) + subject, code.error());
        return exit_of(verb, code.error());
    }
    return finish(verb, app, code.value());
}

int refuse(Console& console, const base::Error& error) {
    console.error("", error);
    return exit_code(error);
}

}  // namespace

int run_program(const std::vector<std::string>& words,
                Console& console,
                const Environment& environment,
                const std::string& here,
                bool is_root) {
    const std::array groups{kGlobalGroup};
    constexpr Operands kVerbFollows{"VERB", 0, 0, true, true};
    const base::Result<Arguments> parsed = Arguments::parse(groups, kVerbFollows, words);
    if (!parsed) {
        console.error("", parsed.error().describe() + " (see: warren help)");
        return exit_code(parsed.error());
    }
    const Arguments& arguments = parsed.value();
    base::Result<Globals> globals = parse_globals(arguments, environment, here);
    if (!globals) {
        return refuse(console, globals.error());
    }
    App app{std::move(globals).value(), console, ""};
    std::vector<std::string> rest = arguments.command();
    if (arguments.has("version")) {
        rest = {"version"};
    } else if (arguments.has("help")) {
        rest.insert(rest.begin(), "help");
    }
    const base::Result<FoundVerb> found = take_verb(rest);
    if (!found) {
        return refuse(console, found.error());
    }
    return run_verb(found.value(), app, spaced(words), is_root);
}

}  // namespace warren::cli
