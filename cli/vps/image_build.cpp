#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/vps/image_common.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> build(App& app, const Arguments& arguments) {
    const BuildImage image = TRY(parse_image_build(arguments));
    app.subject = image.name.str();
    engine::Engine engine = TRY(app.open_engine(true));
    const images::ImageStore store = TRY(engine.images());
    const auto progress = app.progress("build " + image.name.str());
    const images::ImageInfo info = TRY(store.build(image.name, image.request, draw_on(*progress)));
    progress->finish();
    report_image(app, info);
    return kExitDone;
}

constexpr std::array kBuildOptions{
    Option{"as", 0, "NAME", "the image's name (the template's)"},
    Option{"include", 0, "PKG,...", "more packages", true},
    Option{"init", 0, "systemd|sysvinit|openrc|runit", "the init (the distribution's own)"},
};
const std::array kImageBuildGroups{OptionGroup{"Building", kBuildOptions}, kJsonGroup};

}  // namespace

const Verb kImageBuild{
    .name = "image build",
    .usage = "TEMPLATE [--as NAME] [--include PKG,...] [--init INIT]",
    .summary = "make an image from a distribution's packages",
    .text =
        "Templates: debian:11, debian:12, debian:13, ubuntu:22.04, ubuntu:24.04, and busybox, "
        "which is made from "
        "this host's busybox-static. The others are fetched from the distribution's archive: the "
        "mirror that WARREN_DEBIAN_MIRROR or WARREN_UBUNTU_MIRROR names (and "
        "WARREN_DEBIAN_SECURITY_MIRROR, WARREN_UBUNTU_SECURITY_MIRROR for security updates), else "
        "the one in the host's own apt sources, else the one in the lists of the package "
        "python-apt-common. The same mirror stands in the guests' sources.list.",
    .example =
        "warren image build debian:12\n"
        "warren image build debian:12 --as web --include nginx,curl",
    .groups = kImageBuildGroups,
    .operands = {"TEMPLATE", 1, 1},
    .hint = Hint::Template,
    .handler = build,
};

}  // namespace warren::cli
