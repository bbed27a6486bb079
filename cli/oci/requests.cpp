// What create, run, exec and restore share.
#include "cli/oci/requests.hpp"

#include <array>
#include <limits>

#include "base/units.hpp"

namespace warren::cli::oci {

namespace {

constexpr Option kBundle{
    "bundle", 'b', "DIR", "the bundle: config.json and the root (.)", false, Hint::Directory};
constexpr Option kNoPivot{"no-pivot",
                          0,
                          "",
                          "move the root onto / instead of pivot_root(2): for a root on the "
                          "initial ramfs"};
constexpr Option kNoKeyring{
    "no-new-keyring", 0, "", "keep the caller's session keyring instead of making one"};
constexpr Option kConsole{"console-socket",
                          0,
                          "SOCKET",
                          "a Unix socket that gets the terminal's master",
                          false,
                          Hint::File};
constexpr Option kPidFile{"pid-file", 0, "FILE", "write the process's pid here", false, Hint::File};

constexpr std::array kBundleOptions{kBundle, kNoPivot, kNoKeyring};
constexpr std::array kWiringOptions{
    kConsole,
    Option{"pidfd-socket",
           0,
           "SOCKET",
           "a Unix socket that gets a pidfd of the process",
           false,
           Hint::File},
    kPidFile,
    Option{"preserve-fds", 0, "N", "pass N descriptors on, from 3 or the last of LISTEN_FDS (0)"},
};
constexpr std::array kRestoreOptions{kBundle, kNoPivot, kNoKeyring, kConsole, kPidFile};
constexpr std::array kRunOptions{
    Option{"detach", 'd', "", "return as soon as the process runs"},
    Option{"keep", 0, "", "leave the container to be deleted by hand"},
    Option{"no-subreaper", 0, "", "accepted; orphans are never adopted"},
};

}  // namespace

const OptionGroup kBundleGroup{"Bundle", kBundleOptions};
const OptionGroup kWiringGroup{"Wiring", kWiringOptions};
const OptionGroup kRestoreGroup{"Bundle and wiring", kRestoreOptions};
const OptionGroup kRunGroup{"Running", kRunOptions};

std::string container_id(const Arguments& arguments) {
    return arguments.operands().front();
}

base::Result<engine::oci::Wiring> parse_wiring(const Arguments& arguments) {
    engine::oci::Wiring wiring;
    wiring.console_socket = arguments.value("console-socket").value_or("");
    wiring.pidfd_socket = arguments.value("pidfd-socket").value_or("");
    wiring.pid_file = arguments.value("pid-file").value_or("");
    if (const auto count = arguments.value("preserve-fds")) {
        constexpr std::uint64_t kMost = 1U << 20;
        wiring.preserve_fds = static_cast<std::uint32_t>(
            TRY(at_option("preserve-fds", base::parse_uint(*count, 0, kMost))));
    }
    return wiring;
}

base::Result<engine::oci::CreateRequest> parse_create(const Arguments& arguments) {
    engine::oci::CreateRequest request;
    request.id = container_id(arguments);
    request.bundle = arguments.value("bundle").value_or(request.bundle);
    request.wiring = TRY(parse_wiring(arguments));
    request.no_pivot = arguments.has("no-pivot");
    request.no_new_keyring = arguments.has("no-new-keyring");
    return request;
}

}  // namespace warren::cli::oci
