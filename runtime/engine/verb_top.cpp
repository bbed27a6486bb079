#include <algorithm>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include "base/units.hpp"
#include "runtime/engine/guest_users.hpp"
#include "runtime/engine/join.hpp"
#include "runtime/engine/recover.hpp"

namespace warren::engine {

namespace {

constexpr std::size_t kCommandBytesMax = 4096;

// "Name:\tvalue" lines of proc_pid_status(5).
std::string status_value(const std::string& status, const std::string& key) {
    const auto at = ("\n" + status).find("\n" + key + ":\t");
    if (at == std::string::npos) {
        return {};
    }
    const auto begin = at + key.size() + 2;
    return status.substr(begin, status.find('\n', begin) - begin);
}

std::string last_word(const std::string& text) {
    const auto at = text.find_last_of(" \t");
    return at == std::string::npos ? text : text.substr(at + 1);
}

std::uint64_t number(const std::string& text) {
    return std::strtoull(text.c_str(), nullptr, 10);
}

// Run time in milliseconds, from fields 14 and 15 of proc_pid_stat(5).
std::uint64_t cpu_millis(const std::string& stat) {
    const auto close = stat.rfind(')');
    if (close == std::string::npos) {
        return 0;
    }
    std::istringstream fields(stat.substr(close + 1));
    std::string field;
    std::uint64_t ticks = 0;
    for (int i = 3; i <= 15 && fields >> field; ++i) {
        if (i >= 14) {
            ticks += number(field);
        }
    }
    return ticks * 1000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
}

std::string command_line(pid_t pid, const std::string& name) {
    const auto text = base::read_file_at(AT_FDCWD, "/proc/" + std::to_string(pid) + "/cmdline");
    if (!text || text.value().empty()) {
        return "[" + base::printable(name) + "]";
    }
    std::string line = text.value().substr(0, kCommandBytesMax);
    while (!line.empty() && line.back() == '\0') {
        line.pop_back();
    }
    std::replace(line.begin(), line.end(), '\0', ' ');
    return base::printable(line);
}

std::optional<ProcessView> view_process(pid_t pid,
                                        std::uint32_t id_base,
                                        const std::map<std::uint32_t, std::string>& names) {
    const std::string dir = "/proc/" + std::to_string(pid);
    const auto status = base::read_file_at(AT_FDCWD, dir + "/status");
    const auto stat = base::read_file_at(AT_FDCWD, dir + "/stat");
    if (!status || !stat) {
        return std::nullopt;  // gone meanwhile
    }
    ProcessView view;
    view.host_pid = pid;
    view.guest_pid = static_cast<pid_t>(number(last_word(status_value(status.value(), "NSpid"))));
    const auto uid = static_cast<std::uint32_t>(number(status_value(status.value(), "Uid")));
    view.guest_uid = uid >= id_base && uid - id_base < state::kLeaseIds ? uid - id_base : uid;
    const auto name = names.find(view.guest_uid);
    view.user =
        name == names.end() ? std::to_string(view.guest_uid) : base::printable(name->second);
    const auto state = status_value(status.value(), "State");
    view.state = state.empty() ? '?' : state.front();
    view.cpu_millis = cpu_millis(stat.value());
    view.resident_bytes = number(status_value(status.value(), "VmRSS")) * 1024;
    view.command = command_line(pid, status_value(status.value(), "Name"));
    view.guest_parent = static_cast<pid_t>(number(status_value(status.value(), "PPid")));
    return view;
}

}  // namespace

base::Result<std::vector<ProcessView>> Engine::top(const base::Name& name) {
    const Context context = this->context();
    const auto situation = TRY(observe(context, name));
    if (!situation.exists()) {
        return unknown_guest(name);
    }
    if (!situation.run) {
        return base::Error(base::ErrorKind::Busy, name.str() + " is not running");
    }
    const auto init = TRY(open_init(*situation.run));
    const auto names = user_names(init);
    const auto cgroup = TRY(cgroups::Cgroup::open(host_.cgroup, situation.run->cgroup));
    const auto& lease = situation.record->lease;
    const std::uint32_t id_base = lease ? state::Store::lease_base(*lease) : 0;
    std::vector<ProcessView> views;
    std::map<pid_t, pid_t> guest_pids;
    for (const auto pid : TRY(cgroup.processes())) {
        if (auto view = view_process(pid, id_base, names)) {
            guest_pids.emplace(view->host_pid, view->guest_pid);
            views.push_back(std::move(*view));
        }
    }
    for (auto& view : views) {
        const auto parent = guest_pids.find(view.guest_parent);
        view.guest_parent = parent == guest_pids.end() ? 0 : parent->second;
    }
    std::sort(views.begin(), views.end(), [](const ProcessView& a, const ProcessView& b) {
        return a.guest_pid < b.guest_pid;
    });
    return views;
}

}  // namespace warren::engine
