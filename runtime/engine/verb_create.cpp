#include <sys/random.h>

#include "base/units.hpp"
#include "images/rootfs.hpp"
#include "runtime/engine/create.hpp"
#include "runtime/engine/launch_plan.hpp"
#include "runtime/engine/recover.hpp"
#include "runtime/engine/teardown.hpp"
#include "runtime/engine/views.hpp"
#include "runtime/spec/validate.hpp"

namespace warren::engine {

namespace {

constexpr std::array kAdjectives{"amber",
                                 "brisk",
                                 "calm",
                                 "dusky",
                                 "eager",
                                 "fleet",
                                 "glad",
                                 "hazel",
                                 "keen",
                                 "lucid",
                                 "mild",
                                 "nimble",
                                 "plain",
                                 "quiet",
                                 "ruddy",
                                 "swift"};
constexpr std::array kAnimals{"badger",
                              "bunny",
                              "doe",
                              "finch",
                              "hare",
                              "heron",
                              "lark",
                              "lynx",
                              "marten",
                              "mole",
                              "otter",
                              "robin",
                              "shrew",
                              "stoat",
                              "vole",
                              "wren"};

base::Result<std::string> random_name() {
    unsigned bits = 0;
    if (::getrandom(&bits, sizeof(bits), 0) != sizeof(bits)) {
        return base::errno_error("choose a name: get random bits");
    }
    std::array<char, 8> hex{};
    (void)std::snprintf(hex.data(), hex.size(), "%04x", (bits >> 8U) & 0xffffU);
    return std::string(kAdjectives.at(bits & 15U)) + "-" + kAnimals.at((bits >> 4U) & 15U) + "-" +
           hex.data();
}

// Machine guests run the image's init.
base::Status fill_in_init(spec::GuestConfig& config, const images::ImageInfo& image) {
    if (config.kind != isolation::GuestKind::Machine) {
        return base::ok();
    }
    if (config.command.empty()) {
        if (image.init_path.empty()) {
            return base::usage_error("image " + image.name.str() +
                                     " has no init; give a command after --");
        }
        config.command = {image.init_path};
    }
    config.init_system = std::string(images::name(image.init));
    return base::ok();
}

// The lock of a name that no guest has.
base::Result<base::FileLock> lock_free_name(const Context& context, const base::Name& name) {
    for (;;) {
        auto lock = TRY(context.store.lock(name, base::LockMode::Exclusive, kLockTimeout));
        if (!TRY(context.store.has_guest(name)) && !TRY(context.store.load_run(name))) {
            return lock;
        }
        if (TRY(recover(context, name)).exists()) {
            return base::Error(base::ErrorKind::Exists,
                               "a guest named " + name.str() + " exists already");
        }
        // The remains of a guest are gone, and the lock's file with them: the name may be another's by now.
    }
}

base::Status make_guest(const Context& context,
                        state::GuestRecord& record,
                        const base::Name& name) {
    for (;;) {
        if (record.config.security.users == spec::Wall::Private) {
            record.lease = TRY(context.store.first_free_lease(name));
        }
        TRY(context.store.save_guest(record));
        context.faults.hit("create: recorded");
        if (!record.lease) {
            break;
        }
        auto taken = context.store.take_lease(*record.lease, name);
        if (taken) {
            break;
        }
        if (taken.error().kind() != base::ErrorKind::Exists) {
            return std::move(taken).error();
        }
    }
    context.faults.hit("create: lease taken");
    {
        const auto dir = TRY(context.store.guest_dir(name));
        TRY(images::create_disk(dir.get()));
    }
    context.faults.hit("create: disk made");
    if (record.phase == state::GuestPhase::Ready) {
        return base::ok();
    }
    record.phase = state::GuestPhase::Ready;
    TRY(context.store.save_guest(record));
    context.faults.hit("create: ready");
    return base::ok();
}

}  // namespace

base::Result<spec::ValidatedConfig> prepare_config(const Context& context,
                                                   spec::GuestConfig config,
                                                   const images::ImageStore& images) {
    const auto image_name = TRY(base::Name::parse_image(config.image)).str();
    if (!TRY(images.exists(TRY(base::Name::parse_image(image_name))))) {
        return base::usage_error("no image named " + image_name).with_place("--image");
    }
    const auto image = TRY(images.load(TRY(base::Name::parse_image(image_name))));
    if (config.name.empty()) {
        config.name = TRY(random_name());
    }
    TRY(base::Name::parse_guest(config.name));
    TRY(fill_in_init(config, image));
    return spec::validate(std::move(config), context.host);
}

base::Result<Created> create_guest(const Context& context,
                                   const images::ImageStore& images,
                                   spec::GuestConfig wanted) {
    auto validated = TRY(prepare_config(context, std::move(wanted), images));
    const spec::GuestConfig& config = validated.get();
    TRY(look_up(config));
    const auto name = TRY(base::Name::parse_guest(config.name));
    // Shared: the image stays while the guest that names it is recorded.
    const auto image_lock = TRY(
        base::FileLock::acquire(images.lock_dir(), ".users", base::LockMode::Shared, kLockTimeout));
    if (!TRY(images.exists(TRY(base::Name::parse_image(config.image))))) {
        return base::usage_error("no image named " + config.image).with_place("--image");
    }
    auto lock = TRY(lock_free_name(context, name));
    state::GuestRecord record;
    record.name = name.str();
    record.config = config;
    record.created = base::format_time_now();
    if (config.remove_on_stop) {
        // Without a run such a guest is removed by whoever meets it, so one record serves for its whole life.
        record.phase = state::GuestPhase::Ready;
    }
    if (auto made = make_guest(context, record, name); !made) {
        auto error = std::move(made).error();
        if (auto undone = remove_guest(context, record); !undone) {
            error.add_secondary(std::move(undone).error());
        }
        tidy_host(context, name);
        return error;
    }
    return Created{std::move(lock), std::move(record), std::move(validated)};
}

base::Result<GuestView> Engine::create(const CreateRequest& request) {
    const Context context = this->context();
    const auto store = TRY(images());
    const auto created = TRY(create_guest(context, store, request.config));
    return make_view(context,
                     TRY(base::Name::parse_guest(created.record.name)),
                     Situation{created.record, std::nullopt});
}

base::Result<std::string> Engine::describe_plan(const CreateRequest& request) {
    const Context context = this->context();
    const auto store = TRY(images());
    const auto config = TRY(prepare_config(context, request.config, store));
    const auto lookups = TRY(look_up(config.get()));
    PlanSite site;
    site.exec_enters_time = host_.exec_enters_time;
    site.terminal = config.get().kind == isolation::GuestKind::Machine || config.get().terminal;
    if (config.get().security.users == spec::Wall::Private) {
        const auto name = TRY(base::Name::parse_guest(config.get().name));
        site.id_base = state::Store::lease_base(TRY(store_.first_free_lease(name)));
    }
    return describe(TRY(plan_launch(config, lookups, site)), config.get());
}

}  // namespace warren::engine
