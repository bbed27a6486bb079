#include <array>
#include <limits>

#include "cli/common/exit_code.hpp"
#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

base::Result<int> update(App& app, const Arguments& arguments) {
    app.subject = container_id(arguments);
    const auto request = TRY(parse_update(arguments));
    auto engine = TRY(app.open_engine());
    TRY(engine.update(request));
    return kExitDone;
}

constexpr std::array kResourceOptions{
    Option{"resources",
           'r',
           "FILE|-",
           "linux.resources as JSON, - for standard input; other options win over it",
           false,
           Hint::File},
    Option{"memory", 0, "BYTES", "at most this much memory; -1: no limit"},
    Option{"memory-reservation", 0, "BYTES", "memory kept when the host is short of it"},
    Option{"memory-swap", 0, "BYTES", "memory and swap together; -1: no limit"},
    Option{"kernel-memory", 0, "BYTES", "refused: cgroup v2 has no such limit"},
    Option{"kernel-memory-tcp", 0, "BYTES", "refused: cgroup v2 has no such limit"},
    Option{"cpu-share", 0, "N", "weight against other containers, 2 to 262144"},
    Option{"cpu-quota", 0, "MICROS", "run time within a period; -1: no limit"},
    Option{"cpu-period", 0, "MICROS", "the period"},
    Option{"cpu-burst", 0, "MICROS", "run time saved up from earlier periods"},
    Option{"cpu-rt-runtime", 0, "MICROS", "refused: cgroup v2 has no realtime groups"},
    Option{"cpu-rt-period", 0, "MICROS", "refused: cgroup v2 has no realtime groups"},
    Option{"cpu-idle", 0, "0|1", "1: run only when nothing else wants to"},
    Option{"cpuset-cpus", 0, "LIST", "on these CPUs only: 0-3,7"},
    Option{"cpuset-mems", 0, "LIST", "with memory of these nodes only"},
    Option{"blkio-weight", 0, "N", "weight of its input and output, 10 to 1000"},
    Option{"pids-limit", 0, "N", "at most this many processes; -1: no limit"},
    Option{"l3-cache-schema", 0, "SCHEMA", "share of the L3 cache (Intel RDT)"},
    Option{"mem-bw-schema", 0, "SCHEMA", "share of the memory's bandwidth (Intel RDT)"},
};
const std::array kUpdateGroups{OptionGroup{"Resources", kResourceOptions}, kHelpGroup};

// Into `out`, when the option is there.
template <typename Target, typename Parse>
base::Status take(const Arguments& arguments,
                  std::string_view option,
                  std::optional<Target>& out,
                  const Parse& parse) {
    if (const auto text = arguments.value(option)) {
        out = static_cast<Target>(TRY(at_option(option, parse(*text))));
    }
    return base::ok();
}

base::Status take_sizes(const Arguments& arguments, engine::oci::UpdateRequest& request) {
    TRY(take(arguments, "memory", request.memory, parse_bytes));
    TRY(take(arguments, "memory-reservation", request.memory_reservation, parse_bytes));
    TRY(take(arguments, "memory-swap", request.memory_swap, parse_bytes));
    TRY(take(arguments, "kernel-memory", request.kernel_memory, parse_bytes));
    return take(arguments, "kernel-memory-tcp", request.kernel_memory_tcp, parse_bytes);
}

base::Status take_numbers(const Arguments& arguments, engine::oci::UpdateRequest& request) {
    const auto positive = [](const std::string& text) { return parse_integer(text, 0, kMost); };
    const auto limit = [](const std::string& text) { return parse_integer(text, -1, kMost); };
    const auto weight = [](const std::string& text) { return parse_integer(text, 0, 1000); };
    const auto truth = [](const std::string& text) { return parse_integer(text, 0, 1); };
    TRY(take(arguments, "cpu-share", request.cpu_shares, positive));
    TRY(take(arguments, "cpu-quota", request.cpu_quota, limit));
    TRY(take(arguments, "cpu-period", request.cpu_period, positive));
    TRY(take(arguments, "cpu-burst", request.cpu_burst, positive));
    TRY(take(arguments, "cpu-rt-runtime", request.cpu_rt_runtime, limit));
    TRY(take(arguments, "cpu-rt-period", request.cpu_rt_period, positive));
    TRY(take(arguments, "cpu-idle", request.cpu_idle, truth));
    TRY(take(arguments, "blkio-weight", request.blkio_weight, weight));
    return take(arguments, "pids-limit", request.pids_limit, limit);
}

}  // namespace

base::Result<engine::oci::UpdateRequest> parse_update(const Arguments& arguments) {
    engine::oci::UpdateRequest request;
    request.id = container_id(arguments);
    request.resources_file = arguments.value("resources").value_or("");
    TRY(take_sizes(arguments, request));
    TRY(take_numbers(arguments, request));
    request.cpuset_cpus = arguments.value("cpuset-cpus");
    request.cpuset_mems = arguments.value("cpuset-mems");
    request.l3_cache_schema = arguments.value("l3-cache-schema");
    request.mem_bw_schema = arguments.value("mem-bw-schema");
    return request;
}

const Verb kUpdate{
    .name = "update",
    .usage = "[OPTION...] ID",
    .summary = "change a container's limits",
    .text = "What is not named stays as it is. Bytes may end in k, m or g.",
    .example =
        "warren-oci update --memory 512m --pids-limit 200 b1\n"
        "warren-oci update --resources - b1 < resources.json",
    .groups = kUpdateGroups,
    .operands = kOneContainer,
    .hint = Hint::Guest,
    .handler = update,
};

}  // namespace warren::cli::oci
