// The small languages of the command line: names, sizes, counts, CPUs, times, cpusets, io and page limits.
#include <string>

#include "base/ids.hpp"
#include "base/units.hpp"
#include "cgroups/limits.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using warren::fuzz::require;

void check_names(std::string_view text) {
    for (const auto& name :
         {warren::base::Name::parse_guest(text), warren::base::Name::parse_image(text)}) {
        if (name) {
            const std::string& word = name.value().str();
            require(word == text && !word.empty() && word.size() <= 63, "a name is what was given");
            require(word.find('/') == std::string::npos && word[0] != '.', "a name is no path");
        }
    }
}

void check_units(std::string_view text) {
    if (const auto cpus = warren::base::parse_cpus(text)) {
        const auto again = warren::base::parse_cpus(warren::base::format_cpus(cpus.value()));
        require(again && again.value() == cpus.value(), "formatted cpus mean the same");
    }
    if (const auto time = warren::base::parse_time(text)) {
        require(warren::base::parse_time(warren::base::format_time(time.value())).has_value(),
                "a formatted time can be read");
    }
    (void)warren::base::parse_size(text);
    (void)warren::base::parse_uint(text, 1, 1000);
}

void check_limits(std::string_view text) {
    (void)warren::cgroups::parse_limit_size(text);
    (void)warren::cgroups::parse_limit_count(text);
    (void)warren::cgroups::parse_limit_cpus(text);
    if (const auto cpus = warren::cgroups::parse_cpuset(text); cpus && !cpus.value().empty()) {
        const auto again = warren::cgroups::parse_cpuset(cpus.value());
        require(again && again.value() == cpus.value(), "a normal cpuset stays as it is");
    }
    (void)warren::cgroups::parse_hugepages(text);
    // A path in the place of the device would be looked up on this machine.
    if (text.find('/') == std::string_view::npos) {
        (void)warren::cgroups::parse_io_max(text);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = warren::fuzz::text_of(data, size);
    check_names(text);
    check_units(text);
    check_limits(text);
    return 0;
}
