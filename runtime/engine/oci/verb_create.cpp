// create, start.
#include "runtime/engine/oci/create.hpp"
#include "runtime/engine/oci/start.hpp"

namespace warren::engine::oci {

base::Status Engine::create(const CreateRequest& request) {
    auto bundle = TRY(read_bundle_sealed(settings_, request.bundle));
    const auto context = TRY(Context::open(settings_, log_, faults_, true));
    TRY(create_container(context, request, std::move(bundle), false, {0, 1, 2}, {}));
    return base::ok();
}

base::Status Engine::start(const StartRequest& request) {
    const auto context = TRY(Context::open(settings_, log_, faults_, false));
    auto container = TRY(lock_container(context, request.id));
    const auto plan = TRY(load_start_plan(container));
    if (!plan.program) {
        return start_nothing(context, container);
    }
    auto notify = start_container(context, container, plan);
    if (!notify && notify.error().place() == isolation::kExecPlace) {
        // The process says so itself and ends with 127 or 126, which whoever runs it sees.
        context.log.warning(notify.error().describe());
        return base::ok();
    }
    return finish_start(std::move(container), TRY(std::move(notify)));
}

}  // namespace warren::engine::oci
