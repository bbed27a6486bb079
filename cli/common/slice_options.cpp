#include "cli/common/slice_options.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "base/units.hpp"

namespace warren::cli {

namespace {

constexpr std::array kSliceOptions{
    Option{"cpus", 0, "N", "CPU time: so many CPUs' worth, like 1.5"},
    Option{"cpu-weight",
           0,
           "1..10000",
           "share of the CPUs against other guests when they are busy (100)"},
    Option{"cpuset", 0, "LIST", "run on these CPUs only, like 0-1,3"},
    Option{"memory",
           0,
           "SIZE",
           "memory, with its page cache; beyond it the guest's own processes are OOM-killed"},
    Option{
        "memory-high", 0, "SIZE", "beyond this the guest is slowed down and its memory reclaimed"},
    Option{"memory-guarantee",
           0,
           "SIZE",
           "memory that is not reclaimed while others have some to give"},
    Option{"swap", 0, "SIZE", "swap, beside the memory"},
    Option{"pids", 0, "N", "processes and threads"},
    Option{"io-weight",
           0,
           "1..10000",
           "share of the disks against other guests when they are busy (100)"},
    Option{"io-max",
           0,
           "DEV:KEY=N,...",
           "a disk's limits: rbps, wbps (bytes a second), riops, wiops; DEV:none, or none for all",
           true,
           Hint::File},
    Option{"hugepages", 0, "SIZE:N", "huge pages of a size, like 2M:64", true},
};

constexpr std::string_view kOff = "none";
constexpr std::uint64_t kWeightMax = 10'000;
constexpr std::uint64_t kWeightDefault = 100;

base::Result<std::uint64_t> parse_weight(std::string_view text) {
    return text == kOff ? base::Result<std::uint64_t>(kWeightDefault)
                        : base::parse_uint(text, 1, kWeightMax);
}

base::Result<std::uint64_t> parse_guarantee(std::string_view text) {
    return text == kOff ? base::Result<std::uint64_t>(0) : base::parse_size(text);
}

base::Result<std::string> parse_cpus_of_set(std::string_view text) {
    return text == kOff ? base::Result<std::string>("") : cgroups::parse_cpuset(text);
}

template <typename T>
base::Status read(const Arguments& arguments,
                  std::string_view option,
                  base::Result<T> (*parse)(std::string_view),
                  std::optional<T>& into) {
    const std::optional<std::string> text = arguments.value(option);
    if (text) {
        into = TRY(at_option(option, parse(*text)));
    }
    return base::ok();
}

template <typename T>
base::Status read_all_of(const Arguments& arguments,
                         std::string_view option,
                         base::Result<T> (*parse)(std::string_view),
                         std::vector<T>& into) {
    for (const std::string& text : arguments.values(option)) {
        into.push_back(TRY(at_option(option, parse(text))));
    }
    return base::ok();
}

}  // namespace

const OptionGroup kSliceGroup{"Slice (a limit of 'none' is taken off; sizes like 512M or 1.5G)",
                              kSliceOptions};

base::Result<cgroups::Limits> parse_slice(const Arguments& arguments) {
    cgroups::Limits limits;
    TRY(read(arguments, "cpus", cgroups::parse_limit_cpus, limits.cpu_max_micros));
    TRY(read(arguments, "cpu-weight", parse_weight, limits.cpu_weight));
    TRY(read(arguments, "cpuset", parse_cpus_of_set, limits.cpuset));
    TRY(read(arguments, "memory", cgroups::parse_limit_size, limits.memory_max));
    TRY(read(arguments, "memory-high", cgroups::parse_limit_size, limits.memory_high));
    TRY(read(arguments, "memory-guarantee", parse_guarantee, limits.memory_low));
    TRY(read(arguments, "swap", cgroups::parse_limit_size, limits.swap_max));
    TRY(read(arguments, "pids", cgroups::parse_limit_count, limits.pids_max));
    TRY(read(arguments, "io-weight", parse_weight, limits.io_weight));
    TRY(read_all_of(arguments, "io-max", cgroups::parse_io_max, limits.io_max));
    TRY(read_all_of(arguments, "hugepages", cgroups::parse_hugepages, limits.hugetlb));
    return limits;
}

}  // namespace warren::cli
