#include <array>

#include "cli/vps/batch.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> image_rm(App& app, const Arguments& arguments) {
    const std::vector<base::Name> names = TRY(parse_images(arguments.operands()));
    engine::Engine engine = TRY(app.open_engine(false));
    BatchReport report(app, kImageRm.name, names);
    for (const base::Name& name : names) {
        report.add(name, engine.remove_image(name));
    }
    return report.finish();
}

const std::array kImageRmGroups{kJsonGroup};

}  // namespace

const Verb kImageRm{
    .name = "image rm",
    .usage = "NAME...",
    .summary = "remove images",
    .text =
        "An image that a guest is made of stays: destroy the guest first. Files that other images "
        "share stay too.",
    .example = "warren image rm debian:11",
    .groups = kImageRmGroups,
    .operands = {"NAME", 1, kAnyNumber},
    .hint = Hint::Image,
    .handler = image_rm,
};

}  // namespace warren::cli
