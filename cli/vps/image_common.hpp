// What the verbs of images share.
#pragma once

#include <memory>

#include "cli/vps/app.hpp"
#include "images/image.hpp"

namespace warren::cli {

// Tells a progress line what build, import or verify is at: "import: 12.5M" (bytes done).
[[nodiscard]] images::Progress draw_on(Progress& progress);

// The name on standard output, or with --json the object.
void report_image(const App& app, const images::ImageInfo& info);

}  // namespace warren::cli
