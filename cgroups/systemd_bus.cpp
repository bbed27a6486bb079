#include "cgroups/systemd_bus.hpp"

#include <csignal>
#include <cstdlib>
#include <utility>

namespace warren::cgroups {

namespace {

using Clock = DbusConnection::Clock;

constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kObject = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr std::chrono::seconds kCallTimeout(30);
// An array of properties: structures, each aligned like one.
constexpr std::size_t kStructure = 8;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::string bus_addresses(SystemdManager manager) {
    if (manager == SystemdManager::Host) {
        const auto given = variable("DBUS_SYSTEM_BUS_ADDRESS");
        return given.empty() ? "unix:path=/run/dbus/system_bus_socket" : given;
    }
    const auto given = variable("DBUS_SESSION_BUS_ADDRESS");
    const auto runtime_dir = variable("XDG_RUNTIME_DIR");
    return !given.empty() || runtime_dir.empty() ? given : "unix:path=" + runtime_dir + "/bus";
}

// systemd's own socket, for hosts without a bus daemon. Its owner's only.
std::string private_address(SystemdManager manager) {
    if (manager == SystemdManager::Host) {
        return "unix:path=/run/systemd/private";
    }
    const auto runtime_dir = variable("XDG_RUNTIME_DIR");
    return runtime_dir.empty() ? "" : "unix:path=" + runtime_dir + "/systemd/private";
}

DbusMessage compose(const char* method) {
    DbusMessage message;
    message.destination = kService;
    message.path = kObject;
    message.interface = kManager;
    message.member = method;
    return message;
}

DbusMessage compose(const char* method, std::string signature, const DbusWriter& body) {
    auto message = compose(method);
    message.signature = std::move(signature);
    message.body = body.bytes();
    return message;
}

// Writes a variant: the type, and the value.
class VariantWriter {
public:
    explicit VariantWriter(DbusWriter& out) : out_(out) {}

    void operator()(bool value) const {
        out_.signature("b");
        out_.boolean(value);
    }

    void operator()(std::int32_t value) const { number("i", value); }

    void operator()(std::uint32_t value) const { number("u", value); }

    void operator()(std::int64_t value) const { number("x", value); }

    void operator()(std::uint64_t value) const { number("t", value); }

    void operator()(double value) const { number("d", value); }

    void operator()(const std::string& value) const {
        out_.signature("s");
        out_.string(value);
    }

    void operator()(const Bytes& value) const { numbers("ay", value); }

    void operator()(const std::vector<std::string>& value) const {
        out_.signature("as");
        out_.array(sizeof(std::uint32_t), [&] {
            for (const auto& one : value) {
                out_.string(one);
            }
        });
    }

    void operator()(const std::vector<std::uint32_t>& value) const { numbers("au", value); }

private:
    template <typename T>
    void number(const char* type, T value) const {
        out_.signature(type);
        out_.number(value);
    }

    template <typename T>
    void numbers(const char* type, const std::vector<T>& values) const {
        out_.signature(type);
        out_.array(sizeof(T), [&] {
            for (const T value : values) {
                out_.number(value);
            }
        });
    }

    DbusWriter& out_;
};

// a(sv)
void write_properties(DbusWriter& out,
                      const std::vector<UnitProperty>& properties,
                      const std::vector<std::uint32_t>& pids) {
    const VariantWriter variant(out);
    out.array(kStructure, [&] {
        for (const UnitProperty& property : properties) {
            out.align(kStructure);
            out.string(property.name);
            std::visit(variant, property.value);
        }
        if (!pids.empty()) {
            out.align(kStructure);
            out.string("PIDs");
            variant(pids);
        }
    });
}

// What JobRemoved says: of which job, and how it went.
base::Result<std::pair<std::string, std::string>> ended_job(const DbusMessage& signal) {
    DbusReader body(signal.body);
    TRY(body.number<std::uint32_t>());
    auto job = TRY(body.string());
    TRY(body.string());
    return std::pair(std::move(job), TRY(body.string()));
}

base::Status listen(DbusConnection& connection, Clock::time_point deadline) {
    if (connection.peer() == DbusConnection::Peer::Service) {
        return base::ok();  // it tells whoever has asked
    }
    DbusWriter rule;
    rule.string(std::string("type='signal',sender='") + kService + "',path='" + kObject +
                "',interface='" + kManager + "',member='JobRemoved'");
    auto request = compose("AddMatch", "s", rule);
    request.destination = request.interface = "org.freedesktop.DBus";
    request.path = "/org/freedesktop/DBus";
    const auto answer = TRY(connection.call(std::move(request), deadline));
    return answer.type == DbusType::Return ? base::Status(base::ok())
                                           : base::fail("listen to systemd");
}

bool is_absent(const base::Status& status) {
    return !status && status.error().kind() == base::ErrorKind::NotFound;
}

}  // namespace

base::Result<SystemdBus> SystemdBus::connect(SystemdManager manager) {
    const auto deadline = Clock::now() + kCallTimeout;
    auto bus = DbusConnection::open(bus_addresses(manager), DbusConnection::Peer::Bus, deadline);
    if (bus) {
        return SystemdBus(std::move(bus).value());
    }
    auto direct =
        DbusConnection::open(private_address(manager), DbusConnection::Peer::Service, deadline);
    if (direct) {
        return SystemdBus(std::move(direct).value());
    }
    return base::Error(base::ErrorKind::Unsupported,
                       bus.error().error_number(),
                       manager == SystemdManager::Host
                           ? "connect to systemd over D-Bus"
                           : "connect to the user's systemd over D-Bus (XDG_RUNTIME_DIR, "
                             "DBUS_SESSION_BUS_ADDRESS)");
}

base::Result<DbusMessage> SystemdBus::call(DbusMessage request, Clock::time_point deadline) {
    auto answer = TRY(connection_.call(std::move(request), deadline));
    if (answer.type != DbusType::Error) {
        return answer;
    }
    DbusReader body(answer.body);
    const auto text = answer.signature.starts_with("s") ? body.string() : std::string();
    const std::string words =
        text && !text.value().empty() ? text.value() : "call systemd: " + answer.error_name;
    if (answer.error_name == "org.freedesktop.systemd1.UnitExists") {
        return base::Error(base::ErrorKind::Exists, words);
    }
    if (answer.error_name == "org.freedesktop.systemd1.NoSuchUnit") {
        return base::Error(base::ErrorKind::NotFound, words);
    }
    return base::fail(words);
}

base::Status SystemdBus::run_job(DbusMessage request, Clock::time_point deadline) {
    TRY(listen(connection_, deadline));
    const auto answer = TRY(call(std::move(request), deadline));
    DbusReader body(answer.body);
    const auto job = TRY(body.string());
    for (;;) {
        const auto signal = TRY(connection_.next_signal(deadline));
        // Anybody on the bus can send us one that looks like it.
        if (signal.sender != answer.sender || signal.interface != kManager ||
            signal.member != "JobRemoved" || signal.signature != "uoss") {
            continue;
        }
        const auto [ended, result] = TRY(ended_job(signal));
        if (ended == job) {
            return result == "done" ? base::Status(base::ok())
                                    : base::fail("systemd answers \"" + result + "\"");
        }
    }
}

base::Status SystemdBus::start_transient(const std::string& unit,
                                         const std::vector<UnitProperty>& properties,
                                         const std::vector<std::uint32_t>& pids,
                                         std::chrono::milliseconds timeout) {
    DbusWriter body;
    body.string(unit);
    body.string("fail");  // never replace a job that is queued for the unit
    write_properties(body, properties, pids);
    body.array(kStructure, [] {});  // no other units
    return base::with_context(
        run_job(compose("StartTransientUnit", "ssa(sv)a(sa(sv))", body), Clock::now() + timeout),
        "start " + unit);
}

base::Status SystemdBus::set_properties(const std::string& unit,
                                        const std::vector<UnitProperty>& properties) {
    DbusWriter body;
    body.string(unit);
    body.boolean(true);  // until the unit ends
    write_properties(body, properties, {});
    auto reply = call(compose("SetUnitProperties", "sba(sv)", body), Clock::now() + kCallTimeout);
    if (!reply) {
        return std::move(reply).error().with_context("set properties of " + unit);
    }
    return base::ok();
}

base::Status SystemdBus::stop(const std::string& unit, std::chrono::milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    // A scope is stopped by SIGTERM first, which nobody here needs to heed. Its failure shows in the next call.
    DbusWriter kill;
    kill.string(unit);
    kill.string("all");
    kill.number(std::int32_t{SIGKILL});
    (void)call(compose("KillUnit", "ssi", kill), deadline);
    DbusWriter body;
    body.string(unit);
    body.string("replace");
    auto stopped = run_job(compose("StopUnit", "ss", body), deadline);
    if (stopped || is_absent(stopped)) {
        return base::ok();
    }
    return std::move(stopped).error().with_context("stop " + unit);
}

base::Status SystemdBus::reset_failed(const std::string& unit) {
    DbusWriter body;
    body.string(unit);
    auto reply = call(compose("ResetFailedUnit", "s", body), Clock::now() + kCallTimeout);
    if (reply || reply.error().kind() == base::ErrorKind::NotFound) {
        return base::ok();
    }
    return std::move(reply).error().with_context("reset " + unit);
}

}  // namespace warren::cgroups
