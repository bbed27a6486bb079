#include "runtime/engine/oci/exec_config.hpp"

#include <utility>

#include "runtime/engine/oci/bundle.hpp"
#include "runtime/engine/oci/plan.hpp"
#include "runtime/engine/oci/seccomp_cache.hpp"
#include "runtime/engine/oci/start.hpp"
#include "runtime/spec/oci/parse.hpp"

namespace warren::engine::oci {

namespace {

using isolation::Namespace;

base::Result<ExecConfig> of_record(const Container& container,
                                   state::oci::ExecRecord record,
                                   bool with_process) {
    ExecConfig out;
    if (with_process && !record.process.empty()) {
        const auto name = "container \"" + container.record.id + "\": exec.json: /process";
        out.process = TRY(spec::oci::parse_process(record.process, name));
    }
    out.shuts_out_host_root =
        !container.record.config || container.record.config->shuts_out_host_root;
    out.mount_namespace = record.mount_namespace;
    out.personality = record.personality;
    out.filter = std::move(record.filter);
    return out;
}

base::Result<ExecConfig> of_config(const Context& context, spec::oci::Config config) {
    ExecConfig out;
    if (config.process) {
        out.process = std::move(*config.process);
    }
    out.shuts_out_host_root = shuts_out_host_root(config);
    out.mount_namespace = config.linux.is_new(Namespace::Mount);
    if (config.linux.personality) {
        out.personality = config.linux.personality->domain;
    }
    if (const auto seccomp = plan_seccomp(config)) {
        out.filter = TRY(isolation::load_seccomp(*seccomp, open_seccomp_cache(context).get()));
    }
    out.agent = std::move(config.linux.seccomp);
    return out;
}

}  // namespace

std::optional<state::oci::ExecRecord> exec_record_of(const spec::oci::Config& config,
                                                     const isolation::SeccompProgram& filter) {
    if (plan_start(config).seccomp) {
        return std::nullopt;
    }
    state::oci::ExecRecord record;
    record.process = config.process_text;
    record.mount_namespace = config.linux.is_new(Namespace::Mount);
    if (config.linux.personality) {
        record.personality = config.linux.personality->domain;
    }
    record.filter = filter;
    return record;
}

base::Result<ExecConfig> load_exec_config(const Context& context,
                                          const Container& container,
                                          bool with_process) {
    if (container.record.config) {
        if (auto record = TRY(container.dir.load_exec())) {
            return of_record(container, std::move(*record), with_process);
        }
    }
    return of_config(context, TRY(load_config(container.dir)));
}

}  // namespace warren::engine::oci
