#include "runtime/engine/oci/hooks.hpp"

#include "runtime/engine/oci/spawn.hpp"

namespace warren::engine::oci {

namespace {

base::Status run_program_of(const spec::oci::Hook& hook,
                            const std::string& state,
                            const std::string& directory) {
    Program program;
    program.path = hook.path;
    program.arguments = hook.args.empty() ? std::vector<std::string>{hook.path} : hook.args;
    program.env = hook.env;
    program.directory = directory;
    program.input = state;
    if (hook.timeout) {
        program.timeout = std::chrono::seconds{*hook.timeout};
    }
    const auto finished = TRY(run_program(program));
    if (finished.timed_out) {
        return base::fail("hook " + base::printable(hook.path) + " took longer than its " +
                          std::to_string(*hook.timeout) + " s");
    }
    if (finished.status.signaled || finished.status.value != 0) {
        return base::fail("hook " + base::printable(hook.path) + " " + words(finished));
    }
    return base::ok();
}

base::Status run_hook(const std::vector<spec::oci::Hook>& hooks,
                      std::size_t index,
                      const std::string& at,
                      const std::string& state,
                      const std::string& directory) {
    if (auto done = run_program_of(hooks[index], state, directory); !done) {
        return std::move(done).error().with_place(at + "/" + std::to_string(index));
    }
    return base::ok();
}

}  // namespace

base::Status run_hooks(const std::vector<spec::oci::Hook>& hooks,
                       const std::string& at,
                       const std::string& state,
                       const std::string& directory) {
    for (std::size_t i = 0; i < hooks.size(); ++i) {
        TRY(run_hook(hooks, i, at, state, directory));
    }
    return base::ok();
}

void run_late_hooks(const std::vector<spec::oci::Hook>& hooks,
                    const std::string& at,
                    const std::string& state,
                    const std::string& directory,
                    const base::Log& log) {
    for (std::size_t i = 0; i < hooks.size(); ++i) {
        if (const auto done = run_hook(hooks, i, at, state, directory); !done) {
            log.warning(done.error().describe());
        }
    }
}

}  // namespace warren::engine::oci
