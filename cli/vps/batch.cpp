#include "cli/vps/batch.hpp"

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "cli/vps/requests.hpp"

namespace warren::cli {

namespace {

std::string title(std::string_view verb, std::size_t seen, std::size_t total) {
    return std::string(verb) + ": " + std::to_string(seen) + " of " + std::to_string(total);
}

}  // namespace

BatchReport::BatchReport(const App& app,
                         std::string_view verb,
                         const std::vector<base::Name>& names)
    : app_(app), verb_(verb), total_(names.size()) {
    const bool single = total_ == 1;
    progress_ = app.progress(single ? verb_ + " " + names.front().str() : title(verb, 0, total_));
}

void BatchReport::add(const base::Name& name, const base::Status& status) {
    ++seen_;
    if (total_ > 1) {
        progress_->update(title(verb_, seen_, total_));
    }
    outcomes_.push_back({name.str(), std::nullopt});
    if (!status) {
        outcomes_.back().error = status.error().describe();
        app_.console.error(verb_ + " " + name.str(), status.error());
        code_ = total_ == 1 ? exit_code(status.error()) : kExitFailed;
    } else if (!app_.globals.json) {
        app_.print_name(name.str());
    }
}

int BatchReport::finish() {
    progress_->finish();
    if (app_.globals.json) {
        base::Json all = base::Json::array();
        for (const Outcome& outcome : outcomes_) {
            base::Json one;
            one["name"] = outcome.name;
            one["done"] = !outcome.error;
            if (outcome.error) {
                one["error"] = *outcome.error;
            }
            all.push_back(std::move(one));
        }
        app_.console.print_json(all);
    }
    return code_;
}

base::Result<int> run_batch(App& app,
                            const Arguments& arguments,
                            std::string_view verb,
                            const BatchWork& work) {
    const engine::Selection selection = TRY(parse_selection(arguments));
    engine::Engine engine = TRY(app.open_engine(false));
    const std::vector<base::Name> names = TRY(engine.select(selection));
    BatchReport report(app, verb, names);
    work(engine, names, [&report](const engine::Outcome& outcome) {
        report.add(outcome.name, outcome.status);
    });
    return report.finish();
}

}  // namespace warren::cli
