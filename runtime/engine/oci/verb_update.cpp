#include "runtime/engine/oci/container.hpp"
#include "runtime/spec/oci/parse.hpp"

namespace warren::engine::oci {

namespace {

using cgroups::Resources;

base::Result<Resources> from_file(const std::string& file) {
    if (file.empty()) {
        return Resources();
    }
    if (file == "-") {
        const auto text = TRY(base::read_all(0, spec::oci::kMaxDocument, "standard input"));
        return spec::oci::parse_resources(text, "standard input");
    }
    const auto text = TRY(base::read_file_at(AT_FDCWD, file, spec::oci::kMaxDocument));
    return spec::oci::parse_resources(text, file);
}

template <typename T, typename U>
void replace(T& member, const std::optional<U>& flag) {
    if (flag) {
        member = *flag;
    }
}

// The words of the command line stand beside those of the file and win.
void add_flags(Resources& resources, const UpdateRequest& request) {
    replace(resources.block_io.weight, request.blkio_weight);
    replace(resources.cpu.period, request.cpu_period);
    replace(resources.cpu.quota, request.cpu_quota);
    replace(resources.cpu.burst, request.cpu_burst);
    replace(resources.cpu.realtime_period, request.cpu_rt_period);
    replace(resources.cpu.realtime_runtime, request.cpu_rt_runtime);
    replace(resources.cpu.shares, request.cpu_shares);
    replace(resources.cpu.idle, request.cpu_idle);
    replace(resources.cpu.cpus, request.cpuset_cpus);
    replace(resources.cpu.mems, request.cpuset_mems);
    replace(resources.memory.kernel, request.kernel_memory);
    replace(resources.memory.kernel_tcp, request.kernel_memory_tcp);
    replace(resources.memory.limit, request.memory);
    replace(resources.memory.reservation, request.memory_reservation);
    replace(resources.memory.swap, request.memory_swap);
    replace(resources.pids_limit, request.pids_limit);
}

}  // namespace

base::Status Engine::update(const UpdateRequest& request) {
    for (const auto& schema : {request.l3_cache_schema, request.mem_bw_schema}) {
        if (schema && !schema->empty()) {
            return base::Error(base::ErrorKind::Unsupported,
                               "update: changes of intelRdt are not done");
        }
    }
    auto resources = TRY(from_file(request.resources_file));
    add_flags(resources, request);
    const auto context = TRY(Context::open(settings_, log_, faults_, false));
    const auto container = TRY(lock_container(context, request.id));
    if (!container.init) {
        return state_error(request.id, "is not running");
    }
    if (container.record.cgroup.empty()) {
        return base::Error(
            base::ErrorKind::Unsupported,
            "container \"" + request.id + "\" has no cgroup of its own and takes no limits");
    }
    const auto cgroup =
        TRY(cgroups::ContainerCgroup::open(context.host, cgroup_record(container.record)));
    return cgroup.apply(context.host, resources);
}

}  // namespace warren::engine::oci
