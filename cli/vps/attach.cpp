#include "cli/vps/attach.hpp"

#include <nlohmann/json.hpp>

namespace warren::cli {

int report_run(App& app,
               std::string_view verb,
               const engine::RunOutcome& outcome,
               bool print_name) {
    const std::string& name = outcome.name.str();
    for (const std::string& note : outcome.notes) {
        app.console.error(std::string(verb) + " " + name, "note: " + base::printable(note));
    }
    if (print_name && app.globals.json) {
        base::Json json;
        json["name"] = name;
        json["notes"] = outcome.notes;
        app.console.print_json(json);
    } else if (print_name) {
        app.console.print(name + "\n");
    }
    return outcome.exit_code;
}

}  // namespace warren::cli
