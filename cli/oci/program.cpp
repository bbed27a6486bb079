// From words to a verb and its exit code.
#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/oci/help.hpp"
#include "cli/oci/verb.hpp"
#include "cli/oci/version.hpp"

namespace warren::cli::oci {

namespace {

// One line on standard error, and the same in the log.
int report(App& app, std::string_view scope, const std::string& text, int code) {
    app.console.error(scope, text);
    app.logger.error(text);
    return code;
}

int finish(App& app, std::string_view scope, int code) {
    const base::Status written = app.console.status();
    if (!written) {
        return report(app, scope, written.error().describe(), kExitFailed);
    }
    app.logger.finish();
    return code;
}

int run_verb(const Verb& verb, App& app, const std::vector<std::string>& words) {
    const base::Result<Arguments> parsed = Arguments::parse(verb.groups, verb.operands, words);
    if (!parsed) {
        const std::string hint = " (see: warren-oci " + std::string(verb.name) + " --help)";
        return report(app, verb.name, parsed.error().describe() + hint, kExitFailed);
    }
    const Arguments& arguments = parsed.value();
    if (arguments.has("help")) {
        app.console.print(verb_help(verb));
        return finish(app, verb.name, kExitDone);
    }
    const base::Result<int> code = verb.handler(app, arguments);
    if (!code) {
        const std::string subject = app.subject.empty() ? "" : " " + base::printable(app.subject);
        const bool usage = code.error().place().starts_with("option ");
        return report(app,
                      std::string(verb.name) + subject,
                      code.error().describe(),
                      usage ? kExitFailed : verb.failed);
    }
    return finish(app, verb.name, code.value());
}

int run_words(App& app, const Arguments& arguments) {
    const std::vector<std::string>& words = arguments.command();
    if (arguments.has("version")) {
        app.console.print(version_text());
        return finish(app, "", kExitDone);
    }
    if (words.empty() || arguments.has("help")) {
        return run_verb(kHelp, app, words);
    }
    const Verb* verb = find_verb(words.front());
    if (verb == nullptr) {
        return report(
            app,
            "",
            "unknown verb '" + base::printable(words.front()) + "' (see: warren-oci help)",
            kExitFailed);
    }
    return run_verb(*verb, app, {words.begin() + 1, words.end()});
}

int refuse(Console& console, const base::Error& error) {
    console.error("", error.describe() + " (see: warren-oci help)");
    return kExitFailed;
}

}  // namespace

int run_program(const std::vector<std::string>& words, Console& console, const std::string& here) {
    const std::array groups{kGlobalGroup};
    constexpr Operands kVerbFollows{"VERB", 0, 0, true, true, true};
    const base::Result<Arguments> parsed = Arguments::parse(groups, kVerbFollows, words);
    if (!parsed) {
        return refuse(console, parsed.error());
    }
    base::Result<Globals> globals = parse_globals(parsed.value(), here);
    if (!globals) {
        return refuse(console, globals.error());
    }
    Logger logger(console);
    App app{std::move(globals).value(), console, logger, ""};
    if (const base::Status opened = logger.open(app.globals.log); !opened) {
        console.error("--log", opened.error());
        return kExitFailed;
    }
    return run_words(app, parsed.value());
}

}  // namespace warren::cli::oci
