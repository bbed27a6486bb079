// What checkpoint and restore share.
#include <array>

#include "cli/oci/requests.hpp"

namespace warren::cli::oci {

namespace {

using engine::oci::CgroupMode;

constexpr std::array kCriuOptions{
    Option{"image-path", 0, "DIR", "where the image is (checkpoint)", false, Hint::Directory},
    Option{"work-path",
           0,
           "DIR",
           "for criu's log and work files (the image's)",
           false,
           Hint::Directory},
    Option{"tcp-established", 0, "", "with open TCP connections"},
    Option{"ext-unix-sk", 0, "", "with Unix sockets to the outside"},
    Option{"shell-job", 0, "", "with a terminal of the caller's"},
    Option{"file-locks", 0, "", "with locks on files"},
    Option{"lazy-pages", 0, "", "fetch memory when it is touched"},
    Option{"auto-dedup", 0, "", "drop pages from the image once they are stored or read elsewhere"},
    Option{"manage-cgroups-mode",
           0,
           "soft|full|strict|ignore",
           "what becomes of the cgroups' properties (soft)"},
    Option{"empty-ns", 0, "NAMESPACE", "without what is in it: network", true},
};

base::Result<CgroupMode> parse_mode(const std::string& text) {
    constexpr std::array<std::pair<std::string_view, CgroupMode>, 4> kModes{
        {{"soft", CgroupMode::Soft},
         {"full", CgroupMode::Full},
         {"strict", CgroupMode::Strict},
         {"ignore", CgroupMode::Ignore}}};
    for (const auto& [name, mode] : kModes) {
        if (text == name) {
            return mode;
        }
    }
    return base::usage_error("'" + text + "' is not soft, full, strict or ignore");
}

}  // namespace

const OptionGroup kCriuGroup{"Checkpoint", kCriuOptions};

base::Result<engine::oci::CriuOptions> parse_criu(const Arguments& arguments) {
    engine::oci::CriuOptions options;
    options.image_path = arguments.value("image-path").value_or("");
    options.work_path = arguments.value("work-path").value_or("");
    options.tcp_established = arguments.has("tcp-established");
    options.tcp_skip_in_flight = arguments.has("tcp-skip-in-flight");
    options.ext_unix_sockets = arguments.has("ext-unix-sk");
    options.shell_job = arguments.has("shell-job");
    options.file_locks = arguments.has("file-locks");
    options.link_remap = arguments.has("link-remap");
    options.lazy_pages = arguments.has("lazy-pages");
    options.auto_dedup = arguments.has("auto-dedup");
    options.empty_namespaces = arguments.values("empty-ns");
    for (const std::string& name : options.empty_namespaces) {
        if (name != "network") {
            return base::usage_error("'" + name + "' is not network")
                .with_place("option --empty-ns");
        }
    }
    options.cgroups =
        TRY(at_option("manage-cgroups-mode",
                      parse_mode(arguments.value("manage-cgroups-mode").value_or("soft"))));
    return options;
}

}  // namespace warren::cli::oci
