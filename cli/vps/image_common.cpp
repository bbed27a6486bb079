#include "cli/vps/image_common.hpp"

#include <string>

#include <nlohmann/json.hpp>

#include "base/units.hpp"

namespace warren::cli {

images::Progress draw_on(Progress& progress) {
    return [&progress](std::string_view phase, std::uint64_t done) {
        const std::string amount = done == 0 ? "" : ": " + base::format_size(done);
        progress.update(std::string(phase) + amount);
    };
}

void report_image(const App& app, const images::ImageInfo& info) {
    if (app.globals.json) {
        app.console.print_json(images::to_json(info));
    } else {
        app.print_name(info.name.str());
    }
}

}  // namespace warren::cli
