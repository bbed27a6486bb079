#include <array>
#include <limits>

#include "base/units.hpp"
#include "cli/common/exit_code.hpp"
#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> checkpoint(App& app, const Arguments& arguments) {
    app.subject = container_id(arguments);
    const auto request = TRY(parse_checkpoint(arguments));
    auto engine = TRY(app.open_engine());
    TRY(engine.checkpoint(request));
    return kExitDone;
}

constexpr std::array kDumpOptions{
    Option{"leave-running", 0, "", "let the container go on afterwards"},
    Option{"pre-dump",
           0,
           "",
           "only the memory, and let it go on: the next image has what changed since"},
    Option{
        "parent-path", 0, "DIR", "of an earlier pre-dump, below the image", false, Hint::Directory},
    Option{"tcp-skip-in-flight", 0, "", "without TCP connections that are being made"},
    Option{"link-remap", 0, "", "with open files that are deleted"},
    Option{"page-server", 0, "ADDRESS:PORT", "send the memory there"},
    Option{"status-fd", 0, "FD", "tell this descriptor when lazy pages can be had"},
};
const std::array kCheckpointGroups{OptionGroup{"Dump", kDumpOptions}, kCriuGroup, kHelpGroup};

}  // namespace

base::Result<engine::oci::CheckpointRequest> parse_checkpoint(const Arguments& arguments) {
    engine::oci::CheckpointRequest request;
    request.id = container_id(arguments);
    request.criu = TRY(parse_criu(arguments));
    request.parent_path = arguments.value("parent-path").value_or("");
    request.page_server = arguments.value("page-server").value_or("");
    request.leave_running = arguments.has("leave-running");
    request.pre_dump = arguments.has("pre-dump");
    if (const auto fd = arguments.value("status-fd")) {
        constexpr std::uint64_t kMost = std::numeric_limits<int>::max();
        request.status_fd =
            static_cast<int>(TRY(at_option("status-fd", base::parse_uint(*fd, 0, kMost))));
    }
    return request;
}

const Verb kCheckpoint{
    .name = "checkpoint",
    .usage = "[OPTION...] ID",
    .summary = "store a running container in files, by criu",
    .text = "",
    .example = "warren-oci checkpoint --image-path /srv/b1.image b1",
    .groups = kCheckpointGroups,
    .operands = kOneContainer,
    .hint = Hint::Guest,
    .handler = checkpoint,
};

}  // namespace warren::cli::oci
