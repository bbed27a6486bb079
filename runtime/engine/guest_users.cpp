#include "runtime/engine/guest_users.hpp"

#include <optional>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.hpp"
#include "base/units.hpp"

namespace warren::engine {

namespace {

constexpr std::size_t kFileBytesMax = 1U << 20;
constexpr std::uint64_t kIdMax = 65535;

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(at + 1);
    }
}

struct PasswdEntry {
    std::string name;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::string home;
    std::string shell;
};

std::optional<std::uint32_t> parse_id(std::string_view text) {
    const auto number = base::parse_uint(text, 0, kIdMax);
    if (!number) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(number.value());
}

std::vector<PasswdEntry> parse_passwd(std::string_view text) {
    std::vector<PasswdEntry> entries;
    for (const auto line : split(text, '\n')) {
        const auto fields = split(line, ':');
        if (fields.size() < 7) {
            continue;
        }
        const auto uid = parse_id(fields[2]);
        const auto gid = parse_id(fields[3]);
        if (uid && gid) {
            entries.push_back({std::string(fields[0]),
                               *uid,
                               *gid,
                               std::string(fields[5]),
                               std::string(fields[6])});
        }
    }
    return entries;
}

std::optional<std::uint32_t> find_group(std::string_view text, std::string_view name) {
    for (const auto line : split(text, '\n')) {
        const auto fields = split(line, ':');
        if (fields.size() >= 3 && fields[0] == name) {
            return parse_id(fields[2]);
        }
    }
    return std::nullopt;
}

std::vector<std::uint32_t> member_groups(std::string_view text, std::string_view user) {
    std::vector<std::uint32_t> groups;
    for (const auto line : split(text, '\n')) {
        const auto fields = split(line, ':');
        if (fields.size() < 4) {
            continue;
        }
        for (const auto member : split(fields[3], ',')) {
            if (const auto gid = parse_id(fields[2]); member == user && gid) {
                groups.push_back(*gid);
            }
        }
    }
    return groups;
}

base::Result<base::Fd> open_guest_root(const base::PidRef& init) {
    auto root = TRY(base::open_at(
        AT_FDCWD, "/proc/" + std::to_string(init.pid()) + "/root", O_PATH | O_DIRECTORY));
    // The pid was this process's if the process is still there now.
    if (TRY(init.wait_exit(std::chrono::milliseconds{0}))) {
        return base::Error(base::ErrorKind::Busy, "the guest has just ended");
    }
    return root;
}

std::string read_guest_file(const base::PidRef& init, const std::string& path) {
    const auto root = open_guest_root(init);
    if (!root) {
        return {};
    }
    const auto file = base::open_at(
        root.value().get(), path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, base::Resolve::InRoot);

    struct stat status {};

    if (!file || ::fstat(file.value().get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return {};
    }
    auto text = base::read_all(file.value().get(), kFileBytesMax, path);
    return text ? std::move(text).value() : std::string();
}

}  // namespace

base::Result<GuestUser> resolve_user(const std::string& text,
                                     const std::string& passwd,
                                     const std::string& group) {
    const auto colon = text.find(':');
    const std::string user_text = text.empty() ? "0" : text.substr(0, colon);
    const auto entries = parse_passwd(passwd);
    const auto wanted = parse_id(user_text);
    GuestUser user;
    bool found = false;
    for (const auto& entry : entries) {
        if (entry.name == user_text || (wanted && entry.uid == *wanted)) {
            user = {entry.uid,
                    entry.gid,
                    member_groups(group, entry.name),
                    entry.home.starts_with('/') ? entry.home : "/",
                    entry.shell.starts_with('/') ? entry.shell : "/bin/sh"};
            found = true;
            break;
        }
    }
    if (!found && !wanted) {
        return base::usage_error("no user " + base::printable(user_text) + " in the guest");
    }
    if (!found) {
        user.uid = *wanted;
        user.home = *wanted == 0 ? "/root" : "/";
    }
    if (colon != std::string::npos) {
        const std::string group_text = text.substr(colon + 1);
        auto gid = find_group(group, group_text);
        if (!gid) {
            gid = parse_id(group_text);
        }
        if (!gid) {
            return base::usage_error("no group " + base::printable(group_text) + " in the guest");
        }
        user.gid = *gid;
        user.groups.clear();
    }
    return user;
}

base::Result<GuestUser> find_user(const base::PidRef& init, const std::string& text) {
    return resolve_user(
        text, read_guest_file(init, "etc/passwd"), read_guest_file(init, "etc/group"));
}

std::map<std::uint32_t, std::string> user_names(const base::PidRef& init) {
    std::map<std::uint32_t, std::string> names;
    for (const auto& entry : parse_passwd(read_guest_file(init, "etc/passwd"))) {
        names.emplace(entry.uid, entry.name);
    }
    return names;
}

bool is_guest_dir(const base::PidRef& init, const std::string& path) {
    const auto root = open_guest_root(init);
    return root &&
           base::open_at(root.value().get(), path, O_PATH | O_DIRECTORY, 0, base::Resolve::InRoot);
}

}  // namespace warren::engine
