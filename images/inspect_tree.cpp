#include "images/inspect_tree.hpp"

#include <array>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>

#include <elf.h>

#include "base/fd.hpp"

namespace warren::images {
namespace {

constexpr std::size_t kMaxRead = 64U << 10U;
constexpr std::size_t kMaxText = 64;

struct Found {
    base::Fd path_fd;    // O_PATH
    std::string target;  // what the links lead to: the last component of it
    bool is_executable = false;
};

// A regular file in the tree, through links inside it; absent when there is none. Never opened
// before its type is known: a device or fifo would act on open.
std::optional<Found> find_file(int root, const std::string& path) {
    auto opened = base::open_at(root, path, O_PATH, 0, base::Resolve::InRoot);
    if (!opened) {
        return std::nullopt;
    }
    Found found;
    found.path_fd = std::move(opened).value();

    struct stat info {};

    if (fstat(found.path_fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
        return std::nullopt;
    }
    found.is_executable = (info.st_mode & 0111U) != 0;
    if (auto link = base::read_link_at(AT_FDCWD, base::proc_fd_path(found.path_fd.get()))) {
        found.target = link.value().substr(link.value().rfind('/') + 1);
    }
    return found;
}

base::Result<std::string> read_found(const Found& found, std::size_t limit) {
    const base::Fd fd =
        TRY(base::open_at(AT_FDCWD, base::proc_fd_path(found.path_fd.get()), O_RDONLY));
    return base::read_all(fd.get(), limit, found.target);
}

std::string short_text(const std::string& text) {
    return base::printable(text.substr(0, kMaxText));
}

struct Machine {
    unsigned number;
    std::string_view name;
};

constexpr std::array kMachines{
    Machine{EM_X86_64, "amd64"},
    Machine{EM_AARCH64, "arm64"},
    Machine{EM_386, "i386"},
    Machine{EM_ARM, "armhf"},
    Machine{EM_RISCV, "riscv64"},
    Machine{EM_S390, "s390x"},
    Machine{EM_PPC64, "ppc64el"},
    Machine{EM_MIPS, "mips64el"},
};

// By the ELF header, Debian's names; empty when it is no program.
std::string architecture_of(const Found& found) {
    auto fd = base::open_at(AT_FDCWD, base::proc_fd_path(found.path_fd.get()), O_RDONLY);
    std::array<unsigned char, 20> head{};
    if (!fd ||
        pread(fd.value().get(), head.data(), head.size(), 0) != static_cast<ssize_t>(head.size()) ||
        std::string_view(reinterpret_cast<const char*>(head.data()), SELFMAG) != ELFMAG) {
        return {};
    }
    const bool is_big = head[EI_DATA] == ELFDATA2MSB;
    const unsigned number = is_big ? (head[18] * 256U + head[19]) : (head[19] * 256U + head[18]);
    for (const Machine& machine : kMachines) {
        if (machine.number == number) {
            return std::string(machine.name);
        }
    }
    return "unknown";
}

// sysvinit's own init program also runs OpenRC's services, by inittab(5).
InitSystem init_named(int root, const std::string& target) {
    if (target == "systemd") {
        return InitSystem::Systemd;
    }
    if (target == "busybox" || target == "busybox.static") {
        return InitSystem::Busybox;
    }
    if (target == "openrc-init") {
        return InitSystem::Openrc;
    }
    if (target == "runit-init" || target == "runit") {
        return InitSystem::Runit;
    }
    if (target == "init" && find_file(root, "etc/inittab")) {
        const bool has_openrc = find_file(root, "sbin/openrc").has_value();
        return has_openrc ? InitSystem::Openrc : InitSystem::Sysvinit;
    }
    return InitSystem::Unknown;
}

void inspect_init(int root, TreeFacts& facts) {
    for (const char* path : {"/sbin/init", "/usr/sbin/init", "/usr/lib/systemd/systemd", "/init"}) {
        const auto found = find_file(root, path + 1);
        if (found && found->is_executable) {
            facts.init = init_named(root, found->target);
            facts.init_path = path;
            facts.architecture = architecture_of(*found);
            return;
        }
    }
}

}  // namespace

std::string os_release_value(const std::string& text, const std::string& key) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        if (!line.starts_with(key + "=")) {
            continue;
        }
        std::string value = line.substr(key.size() + 1);
        const bool is_quoted = value.size() >= 2 &&
                               (value.front() == '"' || value.front() == '\'') &&
                               value.back() == value.front();
        return is_quoted ? value.substr(1, value.size() - 2) : value;
    }
    return {};
}

TreeFacts inspect_tree(int root) {
    TreeFacts facts;
    for (const char* path : {"etc/os-release", "usr/lib/os-release"}) {
        const auto found = find_file(root, path);
        if (!found) {
            continue;
        }
        // One that is larger is none.
        if (const auto text = read_found(*found, kMaxRead)) {
            facts.os_id = short_text(os_release_value(text.value(), "ID"));
            facts.os_version = short_text(os_release_value(text.value(), "VERSION_ID"));
        }
        break;
    }
    inspect_init(root, facts);
    for (const char* path : {"bin/sh", "bin/bash", "bin/busybox", "usr/bin/env"}) {
        if (!facts.architecture.empty()) {
            break;
        }
        if (const auto found = find_file(root, path)) {
            facts.architecture = architecture_of(*found);
        }
    }
    return facts;
}

}  // namespace warren::images
