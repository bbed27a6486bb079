// config.json, `exec --process`, `update --resources` and mount options: each input is all of them in turn. What is
// refused must say where, in one line; what is read must hold what the headers promise.
#include <algorithm>
#include <string>
#include <vector>

#include <linux/mount.h>

#include "cgroups/resources.hpp"
#include "runtime/spec/oci/check.hpp"
#include "runtime/spec/oci/parse.hpp"
#include "tests/fuzz/target.hpp"

namespace oci = warren::spec::oci;
using warren::base::Error;
using warren::fuzz::require;

namespace {

void check_error(const Error& error, std::string_view text) {
    require(error.describe().find('\n') == std::string::npos, "an error is one line");
    const auto& place = error.place();
    require(place.starts_with('/') || place.starts_with("byte ") || text.size() > oci::kMaxDocument,
            "an error names its place");
}

void check_change(const oci::AttributeChange& change) {
    require((change.set & change.clear & ~std::uint64_t{MOUNT_ATTR__ATIME}) == 0,
            "no attribute is set and cleared");
    const auto times = change.clear & MOUNT_ATTR__ATIME;
    require(times == 0 || times == MOUNT_ATTR__ATIME, "the access times are cleared as one");
    require(times != 0 || (change.set & MOUNT_ATTR__ATIME) == 0, "what is set is cleared before");
}

void check_options(const oci::MountOptions& options) {
    check_change(options.attributes);
    check_change(options.recursive);
    require(options.bind || !options.recursive_bind, "a recursive bind is a bind");
    require(options.uids.empty() == options.gids.empty(), "maps of ids come in pairs");
}

void require_sound(const oci::Config& config) {
    for (const auto& problem : oci::check_config(config)) {
        require(problem.pointer.starts_with('/'), "a problem has a place");
    }
    for (const auto& mount : config.mounts) {
        require(mount.destination.starts_with('/'), "a destination is absolute");
        check_options(mount.options);
    }
    for (const auto& [key, value] : config.linux.sysctl) {
        const auto path = oci::sysctl_path(key);
        require(!path || ("/" + *path + "/").find("/../") == std::string::npos,
                "a parameter's path stays below /proc/sys");
    }
    if (config.linux.resources) {
        (void)warren::cgroups::to_knobs(*config.linux.resources);
        (void)warren::cgroups::device_rules(*config.linux.resources);
    }
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> words;
    for (std::size_t start = 0; start <= text.size();) {
        const auto end = std::min(text.find(',', start), text.size());
        words.emplace_back(text.substr(start, end - start));
        start = end + 1;
    }
    return words;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = warren::fuzz::text_of(data, size);
    if (const auto config = oci::parse_config(text)) {
        require_sound(config.value());
    } else {
        check_error(config.error(), text);
    }
    if (const auto process = oci::parse_process(text)) {
        (void)oci::check_process(process.value());
    } else {
        check_error(process.error(), text);
    }
    if (const auto resources = oci::parse_resources(text); !resources) {
        check_error(resources.error(), text);
    }
    if (const auto options = oci::parse_mount_options(split(text))) {
        check_options(options.value());
    } else {
        check_error(options.error(), text);
    }
    return 0;
}
