#include <array>

#include <nlohmann/json.hpp>

#include "cli/common/exit_code.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> image_inspect(App& app, const Arguments& arguments) {
    const std::vector<base::Name> names = TRY(parse_images(arguments.operands()));
    app.subject = names.front().str();
    engine::Engine engine = TRY(app.open_engine(false));
    const images::ImageStore store = TRY(engine.images());
    app.console.print_json(images::to_json(TRY(store.load(names.front()))));
    return kExitDone;
}

const std::array kImageInspectGroups{kJsonGroup};

}  // namespace

const Verb kImageInspect{
    .name = "image inspect",
    .usage = "NAME",
    .summary = "all that is known of an image, as JSON",
    .text = "One JSON object: where the image came from, its init, its sizes in bytes.",
    .example = "warren image inspect debian:12",
    .groups = kImageInspectGroups,
    .operands = {"NAME", 1, 1},
    .hint = Hint::Image,
    .handler = image_inspect,
};

}  // namespace warren::cli
