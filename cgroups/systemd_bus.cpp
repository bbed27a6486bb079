#include "cgroups/systemd_bus.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <utility>

namespace warren::cgroups {

namespace {

constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kObject = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr std::chrono::seconds kCallTimeout(30);

using SlotPtr = std::unique_ptr<sd_bus_slot, decltype(&::sd_bus_slot_unref)>;

// Answers of sd-bus are errnos, negated.
base::Error bus_error(int answer, std::string what) {
    return base::errno_error(-answer, std::move(what));
}

base::Status check(int answer, const char* what) {
    if (answer < 0) {
        return bus_error(answer, what);
    }
    return base::ok();
}

// systemd's own socket, for hosts without a bus daemon. Its owner's only.
std::string private_address(SystemdManager manager) {
    if (manager == SystemdManager::Host) {
        return "unix:path=/run/systemd/private";
    }
    const char* runtime_dir = std::getenv("XDG_RUNTIME_DIR");
    return runtime_dir == nullptr ? ""
                                  : std::string("unix:path=") + runtime_dir + "/systemd/private";
}

// Jobs that ended while we listened; ours may be among them before we know its name.
struct JobsSeen {
    const SdBusLibrary& library;
    std::vector<std::pair<std::string, std::string>> ended;  // object path, result
};

int on_job_removed(sd_bus_message* message, void* userdata, sd_bus_error* /*error*/) {
    auto& jobs = *static_cast<JobsSeen*>(userdata);
    std::uint32_t id = 0;
    const char* path = nullptr;
    const char* unit = nullptr;
    const char* result = nullptr;
    if (jobs.library.read(message, "uoss", &id, &path, &unit, &result) >= 0) {
        jobs.ended.emplace_back(path, result);
    }
    return 0;
}

base::Status wait_job(sd_bus* bus,
                      const JobsSeen& jobs,
                      const std::string& job,
                      std::chrono::steady_clock::time_point deadline) {
    for (;;) {
        const auto found = std::find_if(jobs.ended.begin(), jobs.ended.end(), [&](const auto& one) {
            return one.first == job;
        });
        if (found != jobs.ended.end()) {
            if (found->second == "done") {
                return base::ok();
            }
            return base::fail("systemd answers \"" + found->second + "\"");
        }
        const int handled = jobs.library.process(bus, nullptr);
        if (handled < 0) {
            return bus_error(handled, "talk to systemd");
        }
        if (handled > 0) {
            continue;
        }
        const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) {
            return base::fail("systemd does not answer in time");
        }
        const int waited = jobs.library.wait(bus, static_cast<std::uint64_t>(left.count()));
        if (waited < 0 && waited != -EINTR) {
            return bus_error(waited, "talk to systemd");
        }
    }
}

// Appends the inside of a variant.
class ValueWriter {
public:
    ValueWriter(const SdBusLibrary& library, sd_bus_message* message)
        : library_(library), message_(message) {}

    int operator()(bool value) const { return variant("b", value ? 1 : 0); }

    int operator()(std::int32_t value) const { return variant("i", value); }

    int operator()(std::uint32_t value) const { return variant("u", value); }

    int operator()(std::int64_t value) const { return variant("x", value); }

    int operator()(std::uint64_t value) const { return variant("t", value); }

    int operator()(double value) const { return variant("d", value); }

    int operator()(const std::string& value) const { return variant("s", value.c_str()); }

    int operator()(const Bytes& value) const {
        return list(
            "ay", [&] { return library_.append_array(message_, 'y', value.data(), value.size()); });
    }

    int operator()(const std::vector<std::string>& value) const {
        return list("as", [&] {
            int answer = library_.open_container(message_, 'a', "s");
            for (auto one = value.begin(); answer >= 0 && one != value.end(); ++one) {
                answer = library_.append(message_, "s", one->c_str());
            }
            return answer < 0 ? answer : library_.close_container(message_);
        });
    }

    int operator()(const std::vector<std::uint32_t>& value) const {
        return list("au", [&] {
            return library_.append_array(
                message_, 'u', value.data(), value.size() * sizeof(std::uint32_t));
        });
    }

private:
    template <typename T>
    int variant(const char* type, T value) const {
        return library_.append(message_, "v", type, value);
    }

    template <typename F>
    int list(const char* type, F write) const {
        int answer = library_.open_container(message_, 'v', type);
        answer = answer < 0 ? answer : write();
        return answer < 0 ? answer : library_.close_container(message_);
    }

    const SdBusLibrary& library_;
    sd_bus_message* message_;
};

template <typename F>
int append_property(const SdBusLibrary& library,
                    sd_bus_message* message,
                    const std::string& name,
                    F write) {
    int answer = library.open_container(message, 'r', "sv");
    answer = answer < 0 ? answer : library.append(message, "s", name.c_str());
    answer = answer < 0 ? answer : write();
    return answer < 0 ? answer : library.close_container(message);
}

bool is_absent(const base::Status& status) {
    return !status && status.error().kind() == base::ErrorKind::NotFound;
}

}  // namespace

base::Result<SystemdBus> SystemdBus::connect(SystemdManager manager) {
    auto library = TRY(load_sd_bus());
    sd_bus* bus = nullptr;
    const int answer =
        manager == SystemdManager::Host ? library.open_system(&bus) : library.open_user(&bus);
    if (answer >= 0) {
        return SystemdBus(std::move(library), bus);
    }
    const auto address = private_address(manager);
    if (!address.empty() && library.bus_new(&bus) >= 0) {
        SystemdBus direct(library, bus);
        if (library.set_address(bus, address.c_str()) >= 0 && library.start(bus) >= 0) {
            return direct;
        }
    }
    return base::Error(base::ErrorKind::Unsupported,
                       -answer,
                       manager == SystemdManager::Host
                           ? "connect to systemd over D-Bus"
                           : "connect to the user's systemd over D-Bus (XDG_RUNTIME_DIR, "
                             "DBUS_SESSION_BUS_ADDRESS)");
}

base::Result<SystemdBus::MessagePtr> SystemdBus::compose(const char* method) const {
    sd_bus_message* raw = nullptr;
    const int answer = library_.new_call(bus_.get(), &raw, kService, kObject, kManager, method);
    MessagePtr message(raw, library_.message_unref);
    TRY(check(answer, "compose a call to systemd"));
    return message;
}

base::Status SystemdBus::append(sd_bus_message* message,
                                const std::vector<UnitProperty>& properties,
                                const std::vector<std::uint32_t>& pids) const {
    constexpr const char* kWhat = "compose a call to systemd";
    const ValueWriter writer(library_, message);
    TRY(check(library_.open_container(message, 'a', "(sv)"), kWhat));
    for (const UnitProperty& property : properties) {
        TRY(check(append_property(library_,
                                  message,
                                  property.name,
                                  [&] { return std::visit(writer, property.value); }),
                  kWhat));
    }
    if (!pids.empty()) {
        TRY(check(append_property(library_, message, "PIDs", [&] { return writer(pids); }), kWhat));
    }
    return check(library_.close_container(message), kWhat);
}

base::Result<SystemdBus::MessagePtr> SystemdBus::call(sd_bus_message* request,
                                                      Clock::time_point deadline) const {
    const auto left =
        std::chrono::duration_cast<std::chrono::microseconds>(deadline - Clock::now()).count();
    sd_bus_error error = {};
    sd_bus_message* raw = nullptr;
    const int answer = library_.call(
        bus_.get(), request, static_cast<std::uint64_t>(std::max<long>(left, 1)), &error, &raw);
    MessagePtr reply(raw, library_.message_unref);
    if (answer >= 0) {
        return reply;
    }
    const std::string kind = error.name != nullptr ? error.name : "";
    const std::string text = error.message != nullptr ? error.message : "";
    library_.error_free(&error);
    if (kind == "org.freedesktop.systemd1.UnitExists") {
        return base::Error(base::ErrorKind::Exists, text);
    }
    if (kind == "org.freedesktop.systemd1.NoSuchUnit") {
        return base::Error(base::ErrorKind::NotFound, text);
    }
    return text.empty() ? bus_error(answer, "call systemd") : base::fail(text);
}

base::Status SystemdBus::run_job(sd_bus_message* request, Clock::time_point deadline) const {
    JobsSeen jobs{library_, {}};
    sd_bus_slot* raw = nullptr;
    TRY(check(
        library_.match_signal(
            bus_.get(), &raw, kService, kObject, kManager, "JobRemoved", on_job_removed, &jobs),
        "listen to systemd"));
    const SlotPtr slot(raw, library_.slot_unref);
    const auto reply = TRY(call(request, deadline));
    const char* job = nullptr;
    TRY(check(library_.read(reply.get(), "o", &job), "read systemd's answer"));
    return wait_job(bus_.get(), jobs, job, deadline);
}

base::Status SystemdBus::start_transient(const std::string& unit,
                                         const std::vector<UnitProperty>& properties,
                                         const std::vector<std::uint32_t>& pids,
                                         std::chrono::milliseconds timeout) {
    const auto request = TRY(compose("StartTransientUnit"));
    // "fail": never replace a job that is queued for the unit. The last member: no other units.
    TRY(check(library_.append(request.get(), "ss", unit.c_str(), "fail"), "compose a call"));
    TRY(append(request.get(), properties, pids));
    TRY(check(library_.append(request.get(), "a(sa(sv))", 0), "compose a call"));
    return base::with_context(run_job(request.get(), Clock::now() + timeout), "start " + unit);
}

base::Status SystemdBus::set_properties(const std::string& unit,
                                        const std::vector<UnitProperty>& properties) {
    const auto request = TRY(compose("SetUnitProperties"));
    TRY(check(library_.append(request.get(), "sb", unit.c_str(), 1), "compose a call"));
    TRY(append(request.get(), properties, {}));
    auto reply = call(request.get(), Clock::now() + kCallTimeout);
    if (!reply) {
        return std::move(reply).error().with_context("set properties of " + unit);
    }
    return base::ok();
}

base::Status SystemdBus::stop(const std::string& unit, std::chrono::milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    // A scope is stopped by SIGTERM first, which nobody here needs to heed. Its failure shows in the next call.
    const auto kill = TRY(compose("KillUnit"));
    TRY(check(library_.append(kill.get(), "ssi", unit.c_str(), "all", SIGKILL), "compose a call"));
    (void)call(kill.get(), deadline);
    const auto request = TRY(compose("StopUnit"));
    TRY(check(library_.append(request.get(), "ss", unit.c_str(), "replace"), "compose a call"));
    auto stopped = run_job(request.get(), deadline);
    if (stopped || is_absent(stopped)) {
        return base::ok();
    }
    return std::move(stopped).error().with_context("stop " + unit);
}

base::Status SystemdBus::reset_failed(const std::string& unit) {
    const auto request = TRY(compose("ResetFailedUnit"));
    TRY(check(library_.append(request.get(), "s", unit.c_str()), "compose a call"));
    auto reply = call(request.get(), Clock::now() + kCallTimeout);
    if (reply || reply.error().kind() == base::ErrorKind::NotFound) {
        return base::ok();
    }
    return std::move(reply).error().with_context("reset " + unit);
}

}  // namespace warren::cgroups
