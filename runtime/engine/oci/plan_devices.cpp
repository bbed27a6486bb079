#include <algorithm>
#include <array>

#include "runtime/engine/oci/paths.hpp"
#include "runtime/engine/oci/plan_parts.hpp"

namespace warren::engine::oci {

using isolation::ContainerDevice;
using isolation::Namespace;

namespace {

struct DefaultNode {
    const char* path;
    std::uint32_t major;
    std::uint32_t minor;
};

// config-linux.md "Default Devices".
constexpr std::array<DefaultNode, 6> kDefaultNodes = {{{"/dev/null", 1, 3},
                                                       {"/dev/zero", 1, 5},
                                                       {"/dev/full", 1, 7},
                                                       {"/dev/random", 1, 8},
                                                       {"/dev/urandom", 1, 9},
                                                       {"/dev/tty", 5, 0}}};

ContainerDevice translate(const spec::oci::Device& from) {
    ContainerDevice to;
    switch (from.type) {
        case spec::oci::Device::Type::Char:
            to.type = ContainerDevice::Type::Char;
            break;
        case spec::oci::Device::Type::Block:
            to.type = ContainerDevice::Type::Block;
            break;
        case spec::oci::Device::Type::Fifo:
            to.type = ContainerDevice::Type::Fifo;
            break;
    }
    to.path = clean_path(from.path);
    to.major = from.major;
    to.minor = from.minor;
    to.mode = from.mode;
    to.uid = from.uid;
    to.gid = from.gid;
    return to;
}

// Where mknod(2) is not allowed the host's own node is bound.
void choose_source(const Planning& planning,
                   const std::string& place,
                   ContainerDevice& device,
                   ContainerPlan& plan) {
    const bool fifo = device.type == ContainerDevice::Type::Fifo;
    const bool own_users = planning.config.linux.find(Namespace::User) != nullptr;
    if (fifo || (planning.site.makes_nodes && !own_users)) {
        return;
    }
    if (!planning.site.clones_mounts) {
        device.source = ContainerDevice::Source::HostPath;
        device.host_path = device.path;
        return;
    }
    SlotSource source;
    source.kind = SlotSource::Kind::Device;
    source.path = device.path;
    source.place = place;
    source.follow = false;
    source.type = device.type;
    source.major = device.major;
    source.minor = device.minor;
    device.source = ContainerDevice::Source::Slot;
    device.slot = add_slot(plan, std::move(source));
}

// The host's /dev: its nodes are not ours to make.
bool has_bound_dev(const spec::oci::Config& config) {
    return std::any_of(config.mounts.begin(), config.mounts.end(), [](const auto& mount) {
        return is_bind(mount) && clean_path(mount.destination) == "/dev";
    });
}

bool is_mounted_on(const spec::oci::Config& config, const std::string& path) {
    return std::any_of(config.mounts.begin(), config.mounts.end(), [&](const auto& mount) {
        return clean_path(mount.destination) == path;
    });
}

void add_default_nodes(const Planning& planning, ContainerPlan& plan) {
    auto& devices = plan.container.devices;
    for (const auto& node : kDefaultNodes) {
        const bool taken = std::any_of(devices.begin(), devices.end(), [&](const auto& device) {
            return device.path == node.path;
        });
        if (taken || is_mounted_on(planning.config, node.path)) {
            continue;
        }
        ContainerDevice device;
        device.path = node.path;
        device.major = node.major;
        device.minor = node.minor;
        choose_source(planning, "/linux/devices", device, plan);
        devices.push_back(std::move(device));
    }
}

void add_links(const Planning& planning, ContainerPlan& plan) {
    auto& links = plan.container.links;
    for (const auto& [path, target] : {std::pair{"/dev/fd", "/proc/self/fd"},
                                       std::pair{"/dev/stdin", "/proc/self/fd/0"},
                                       std::pair{"/dev/stdout", "/proc/self/fd/1"},
                                       std::pair{"/dev/stderr", "/proc/self/fd/2"}}) {
        links.push_back({path, target, false});
    }
    if (!is_mounted_on(planning.config, "/dev/ptmx")) {
        links.push_back({"/dev/ptmx", "pts/ptmx", true});
    }
}

}  // namespace

base::Status plan_devices(const Planning& planning, ContainerPlan& plan) {
    if (has_bound_dev(planning.config)) {
        return base::ok();
    }
    const auto& wanted = planning.config.linux.devices;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        auto device = translate(wanted[i]);
        choose_source(planning, "/linux/devices/" + std::to_string(i), device, plan);
        plan.container.devices.push_back(std::move(device));
    }
    add_default_nodes(planning, plan);
    add_links(planning, plan);
    return base::ok();
}

}  // namespace warren::engine::oci
