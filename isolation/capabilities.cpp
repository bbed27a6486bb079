#include "isolation/capabilities.hpp"

#include <algorithm>
#include <memory>

#include <sys/capability.h>

#include "base/excerpt.hpp"

namespace warren::isolation {

namespace {

constexpr std::uint64_t bit(int capability) {
    return std::uint64_t{1} << static_cast<unsigned>(capability);
}

template <typename... Capabilities>
constexpr std::uint64_t bits(Capabilities... capabilities) {
    return (bit(capabilities) | ...);
}

// Over files and processes that the guest owns anyway, and its low ports: harmless even against the
// host's user namespace.
constexpr std::uint64_t kSafe = bits(CAP_CHOWN,
                                     CAP_DAC_OVERRIDE,
                                     CAP_FOWNER,
                                     CAP_FSETID,
                                     CAP_KILL,
                                     CAP_SETGID,
                                     CAP_SETUID,
                                     CAP_SETPCAP,
                                     CAP_SETFCAP,
                                     CAP_NET_BIND_SERVICE,
                                     CAP_SYS_CHROOT);

// What engines give a command by default: also ping, nodes (the device program decides which work),
// and a line in the audit log.
constexpr std::uint64_t kCommand = kSafe | bits(CAP_NET_RAW, CAP_MKNOD, CAP_AUDIT_WRITE);

// What an init of its own needs, all of it checked against the guest's user namespace. Absent are
// those that the kernel asks of the host's user namespace only (SYS_MODULE, SYS_RAWIO, SYS_TIME,
// SYSLOG, SYS_PACCT, LINUX_IMMUTABLE, WAKE_ALARM, BLOCK_SUSPEND, MAC_*, BPF, PERFMON, AUDIT_READ,
// AUDIT_CONTROL): they would give nothing, and programs that find them try and fail.
// CHECKPOINT_RESTORE would let a guest choose the pids of its processes: nobody asked.
constexpr std::uint64_t kMachine =
    kCommand | bits(CAP_DAC_READ_SEARCH,  // backups
                    CAP_SYS_ADMIN,        // mounts, hostname, namespaces of units
                    CAP_NET_ADMIN,        // its own links, addresses, firewall
                    CAP_NET_BROADCAST,
                    CAP_IPC_LOCK,
                    CAP_IPC_OWNER,
                    CAP_SYS_PTRACE,
                    CAP_SYS_BOOT,        // sysvinit, openrc and runit end by reboot(2)
                    CAP_SYS_NICE,        // of its own processes
                    CAP_SYS_RESOURCE,    // units with limits of their own
                    CAP_SYS_TTY_CONFIG,  // vhangup(2) of gettys
                    CAP_LEASE);

}  // namespace

base::Result<std::uint64_t> parse_capability(std::string_view name) {
    constexpr std::size_t kLongest = 64;
    std::string text(name.substr(0, kLongest));
    for (char& c : text) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    if (!text.starts_with("cap_")) {
        text.insert(0, "cap_");
    }
    cap_value_t value = 0;
    // The library also takes plain numbers, which mean something else on each kernel.
    const bool named = name.size() <= kLongest &&
                       text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
    if (!named || cap_from_name(text.c_str(), &value) != 0 || value < 0 || value >= 64) {
        return base::usage_error("unknown capability \"" + base::excerpt(name) + "\"");
    }
    return bit(value);
}

std::vector<std::string> capability_names(std::uint64_t mask) {
    std::vector<std::string> names;
    for (int value = 0; value < 64; ++value) {
        if ((mask & bit(value)) == 0) {
            continue;
        }
        const std::unique_ptr<char, int (*)(void*)> known(cap_to_name(value), cap_free);
        std::string name = known ? known.get() : "cap_" + std::to_string(value);
        for (char& c : name) {
            c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        }
        names.push_back(std::move(name));
    }
    return names;
}

std::uint64_t all_capabilities() {
    const unsigned count = std::min<unsigned>(static_cast<unsigned>(cap_max_bits()), 63);
    return (std::uint64_t{1} << count) - 1;
}

std::uint64_t default_bounding(GuestKind kind, bool host_users) {
    const bool machine = kind == GuestKind::Machine;
    if (host_users) {
        // Ending one's own pid namespace is as harmless there.
        return kSafe | (machine ? bits(CAP_SYS_BOOT) : 0);
    }
    return machine ? kMachine : kCommand;
}

CapSets process_capabilities(std::uint64_t bounding, bool is_root) {
    CapSets sets{.bounding = bounding};
    if (is_root) {
        sets.effective = bounding;
        sets.permitted = bounding;
    }
    return sets;
}

}  // namespace warren::isolation
