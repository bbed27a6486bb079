#include "images/guest_files.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace warren::images {
namespace {

// Each of these replaces a file of the distribution that is_left_out() knows.
constexpr const char* kMachineHosts =
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "ff02::1\tip6-allnodes\n"
    "ff02::2\tip6-allrouters\n";

// The distribution's own without getty: a guest has no virtual consoles. On SIGPWR the guest is
// shut down.
constexpr const char* kMachineInittab =
    "id:2:initdefault:\n"
    "si::sysinit:/etc/init.d/rcS\n"
    "~~:S:wait:/sbin/sulogin --force\n"
    "l0:0:wait:/etc/init.d/rc 0\n"
    "l1:1:wait:/etc/init.d/rc 1\n"
    "l2:2:wait:/etc/init.d/rc 2\n"
    "l3:3:wait:/etc/init.d/rc 3\n"
    "l4:4:wait:/etc/init.d/rc 4\n"
    "l5:5:wait:/etc/init.d/rc 5\n"
    "l6:6:wait:/etc/init.d/rc 6\n"
    "ca::ctrlaltdel:/sbin/init 6\n"
    "pf::powerwait:/sbin/init 0\n"
    "pn::powerfailnow:/sbin/init 0\n";

constexpr const char* kOpenrcInittab =
    "id:2:initdefault:\n"
    "si::sysinit:/sbin/openrc sysinit\n"
    "rc::bootwait:/sbin/openrc boot\n"
    "l0:0:wait:/sbin/openrc shutdown\n"
    "l0s:0:wait:/sbin/halt -f -p\n"
    "l1:S1:wait:/sbin/openrc single\n"
    "l2:2345:wait:/sbin/openrc default\n"
    "l6:6:wait:/sbin/openrc reboot\n"
    "l6r:6:wait:/sbin/reboot -f\n"
    "su0:S:wait:/sbin/openrc single\n"
    "su1:S:wait:/sbin/sulogin --force\n"
    "ca::ctrlaltdel:/sbin/init 6\n"
    "pf::powerwait:/sbin/init 0\n"
    "pn::powerfailnow:/sbin/init 0\n";

// A guest's journal is on the host's disk.
constexpr const char* kJournald = "[Journal]\nSystemMaxUse=128M\n";

// Work on the host's hardware or disks.
constexpr std::array kMaskedUnits{"e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer"};

constexpr std::array<std::string_view, 12> kReplaced{
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/apt/sources.list",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "etc/hostname",
    "etc/hosts",
    "etc/inittab",
    "etc/machine-id",
    "etc/resolv.conf",
    "var/lib/dbus/machine-id",
    "var/lib/systemd/random-seed",
    "var/lib/urandom/random-seed",
    "etc/.pwd.lock",
};

// What is in these directories, not the directories.
constexpr std::array<std::string_view, 7> kEmptied{
    "dev/",
    "run/",
    "tmp/",
    "var/cache/apt/",
    "var/lib/apt/lists/",
    "var/tmp/",
    "etc/apt/sources.list.d/",
};

std::string plain_path(std::string path) {
    while (path.starts_with("./") || path.starts_with("/")) {
        path.erase(0, path.find('/') + 1);
    }
    while (path.ends_with('/')) {
        path.pop_back();
    }
    return path;
}

bool is_old_copy(std::string_view path) {
    constexpr std::array<std::string_view, 4> kAccounts{
        "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-"};
    return std::find(kAccounts.begin(), kAccounts.end(), path) != kAccounts.end() ||
           (path.starts_with("var/cache/debconf/") && path.ends_with("-old")) ||
           (path.starts_with("var/lib/dpkg/") && path.ends_with("-old"));
}

// Start and stop links of services for hardware, disks and kernel settings, which are the host's:
// they would only fail, and say so at every boot. The services themselves stay installed.
bool is_host_service(std::string_view path) {
    constexpr std::array<std::string_view, 11> kServices{"bootlogs",
                                                         "brightness",
                                                         "cgroups",
                                                         "checkfs.sh",
                                                         "checkroot.sh",
                                                         "hwclock.sh",
                                                         "mount-configfs",
                                                         "mountdevsubfs.sh",
                                                         "mountkernfs.sh",
                                                         "procps",
                                                         "urandom"};
    if (path.starts_with("etc/runit/runsvdir/default/getty-")) {
        return true;
    }
    std::string_view service = path.substr(path.rfind('/') + 1);
    const bool is_sysv = path.starts_with("etc/rc") && path.find(".d/") == 7;
    if (is_sysv && service.size() > 3) {
        service.remove_prefix(3);
    }
    return (is_sysv || path.starts_with("etc/runlevels/")) &&
           std::find(kServices.begin(), kServices.end(), service) != kServices.end();
}

std::string lines(const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts) {
        out += text + "\n";
    }
    return out;
}

Entry entry_at(std::string path, EntryType type, mode_t mode) {
    Entry entry;
    entry.path = std::move(path);
    entry.type = type;
    entry.meta.mode = mode;
    entry.meta.mtime.tv_sec = kGuestFileTime;
    return entry;
}

}  // namespace

GuestFile guest_file(std::string path, std::string content, mode_t mode) {
    GuestFile out{entry_at(std::move(path), EntryType::File, mode), std::move(content)};
    out.entry.size = out.content.size();
    return out;
}

GuestFile guest_link(std::string path, std::string target) {
    GuestFile out{entry_at(std::move(path), EntryType::Symlink, 0777), {}};
    out.entry.target = std::move(target);
    return out;
}

GuestFile guest_directory(std::string path, mode_t mode) {
    return {entry_at(std::move(path), EntryType::Directory, mode), {}};
}

bool is_left_out(const std::string& path, EntryType type) {
    const std::string plain = plain_path(path);
    if (std::find(kReplaced.begin(), kReplaced.end(), plain) != kReplaced.end() ||
        is_old_copy(plain) || is_host_service(plain) || plain.starts_with("etc/ssh/ssh_host_")) {
        return true;
    }
    if (plain.starts_with("var/log/") && type == EntryType::File) {
        return true;
    }
    return std::any_of(kEmptied.begin(), kEmptied.end(), [&](std::string_view directory) {
        return plain.starts_with(directory);
    });
}

std::vector<GuestFile> guest_files(InitSystem init, const std::vector<std::string>& sources) {
    std::vector<GuestFile> out;
    out.push_back(guest_file("etc/apt/sources.list", lines(sources)));
    out.push_back(guest_file("etc/hosts", kMachineHosts));
    out.push_back(guest_file("etc/resolv.conf", ""));
    out.push_back(guest_directory("var/cache/apt/archives"));
    out.push_back(guest_directory("var/lib/apt/lists/partial", 0700));
    if (init == InitSystem::Systemd) {
        // Empty: systemd makes an id of its own for each guest, and does not take its boot for an
        // installation's first.
        out.push_back(guest_file("etc/machine-id", "", 0444));
        out.push_back(guest_link("var/lib/dbus/machine-id", "/etc/machine-id"));
        out.push_back(guest_directory("etc/systemd/journald.conf.d"));
        out.push_back(guest_file("etc/systemd/journald.conf.d/size.conf", kJournald));
        for (const char* unit : kMaskedUnits) {
            out.push_back(guest_link(std::string("etc/systemd/system/") + unit, "/dev/null"));
        }
    } else if (init == InitSystem::Sysvinit) {
        out.push_back(guest_file("etc/inittab", kMachineInittab));
    } else if (init == InitSystem::Openrc) {
        out.push_back(guest_file("etc/inittab", kOpenrcInittab));
    }
    return out;
}

}  // namespace warren::images
