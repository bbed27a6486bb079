#include <array>
#include <chrono>

#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "cli/common/exit_code.hpp"
#include "cli/common/table.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

std::string age(const std::string& created) {
    const auto then = base::parse_time(created);
    if (!then) {
        return created;
    }
    const auto span = std::chrono::system_clock::now() - then.value();
    return base::format_age(std::chrono::duration_cast<std::chrono::seconds>(span));
}

std::string image_table(const std::vector<images::ImageInfo>& list, bool colour) {
    Table table({{"NAME"},
                 {"SYSTEM"},
                 {"INIT"},
                 {"ARCH"},
                 {"FILES", true},
                 {"SIZE", true},
                 {"SHARED", true},
                 {"AGE"}});
    for (const images::ImageInfo& info : list) {
        table.add({info.name.str(),
                   info.os_id + (info.os_version.empty() ? "" : " " + info.os_version),
                   std::string(images::name(info.init)),
                   info.architecture,
                   std::to_string(info.files),
                   base::format_size(info.bytes),
                   base::format_size(info.shared_bytes),
                   age(info.created)});
    }
    return table.text(colour);
}

void print_json(const App& app, const std::vector<images::ImageInfo>& list, bool names_only) {
    base::Json array = base::Json::array();
    for (const images::ImageInfo& info : list) {
        array.push_back(names_only ? base::Json(info.name.str()) : images::to_json(info));
    }
    app.console.print_json(array);
}

base::Result<int> image_list(App& app, const Arguments& arguments) {
    engine::Engine engine = TRY(app.open_engine(false));
    const images::ImageStore store = TRY(engine.images());
    const std::vector<images::ImageInfo> list = TRY(store.list());
    const bool names_only = arguments.has("quiet");
    if (app.globals.json) {
        print_json(app, list, names_only);
    } else if (names_only) {
        std::string names;
        for (const images::ImageInfo& info : list) {
            names += info.name.str() + "\n";
        }
        app.console.print(names);
    } else {
        app.console.print(image_table(list, app.console.settings().colour));
    }
    return kExitDone;
}

constexpr std::array kImageListOptions{Option{"quiet", 'q', "", "names only"}};
const std::array kImageListGroups{OptionGroup{"Listing", kImageListOptions}, kJsonGroup};

}  // namespace

const Verb kImageList{
    .name = "image list",
    .usage = "[-q] [--json]",
    .summary = "list images",
    .text =
        "SIZE is what the image's files add up to; SHARED is how much of that other images had "
        "already, so that it "
        "takes no further room on disk or in memory.",
    .example = "warren image list",
    .groups = kImageListGroups,
    .operands = {},
    .handler = image_list,
};

}  // namespace warren::cli
