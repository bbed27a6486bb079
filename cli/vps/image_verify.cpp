#include <array>
#include <optional>

#include <nlohmann/json.hpp>

#include "cli/common/exit_code.hpp"
#include "cli/vps/image_common.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

void print(const App& app, const std::vector<images::VerifyProblem>& problems) {
    base::Json array = base::Json::array();
    for (const images::VerifyProblem& problem : problems) {
        array.push_back(
            {{"image", problem.image}, {"path", problem.path}, {"problem", problem.text}});
        if (!app.globals.json) {
            const std::string line = problem.image + ": " + problem.path + ": " + problem.text;
            app.console.print(base::printable(line) + "\n");
        }
    }
    if (app.globals.json) {
        app.console.print_json(array);
    }
}

base::Result<int> image_verify(App& app, const Arguments& arguments) {
    const std::vector<base::Name> names = TRY(parse_images(arguments.operands()));
    std::optional<base::Name> name;
    if (!names.empty()) {
        name = names.front();
        app.subject = name->str();
    }
    engine::Engine engine = TRY(app.open_engine(false));
    const images::ImageStore store = TRY(engine.images());
    const auto progress = app.progress("verify");
    const std::vector<images::VerifyProblem> problems = TRY(store.verify(name, draw_on(*progress)));
    progress->finish();
    print(app, problems);
    return problems.empty() ? kExitDone : kExitFailed;
}

const std::array kImageVerifyGroups{kJsonGroup};

}  // namespace

const Verb kImageVerify{
    .name = "image verify",
    .usage = "[NAME]",
    .summary = "check the files of images against their digests",
    .text =
        "Reads every file of the image, or of all images, and prints a line for each that is not "
        "what it was. The "
        "exit status is 1 when there is one.",
    .example = "warren image verify debian:12",
    .groups = kImageVerifyGroups,
    .operands = {"NAME", 0, 1},
    .hint = Hint::Image,
    .handler = image_verify,
};

}  // namespace warren::cli
