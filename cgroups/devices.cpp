// Cgroup::set_devices over bpf(2).
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <tuple>

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "cgroups/cgroup.hpp"
#include "cgroups/device_program.hpp"
#include "cgroups/device_programs.hpp"

namespace warren::cgroups {

namespace {

constexpr char kProgramName[BPF_OBJ_NAME_LEN] = "warren_devices";

int bpf(enum bpf_cmd command, union bpf_attr& attributes) {
    return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof(attributes)));
}

std::uint64_t address(const void* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

base::Result<base::Fd> load_program(const std::vector<struct bpf_insn>& program) {
    // No helper of the kernel's is called, so any licence would do.
    static constexpr char kLicence[] = "GPL";
    union bpf_attr attributes = {};
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insn_cnt = static_cast<std::uint32_t>(program.size());
    attributes.insns = address(program.data());
    attributes.license = address(kLicence);
    std::memcpy(attributes.prog_name, kProgramName, sizeof(kProgramName));
    const int fd = bpf(BPF_PROG_LOAD, attributes);
    if (fd < 0) {
        return base::errno_error("load the device program");
    }
    return base::Fd(fd);
}

base::Result<std::vector<std::uint32_t>> attached_ids(int cgroup) {
    constexpr std::size_t kProgramsMax = 64;  // BPF_CGROUP_MAX_PROGS
    std::vector<std::uint32_t> ids(kProgramsMax);
    union bpf_attr attributes = {};
    attributes.query.target_fd = static_cast<std::uint32_t>(cgroup);
    attributes.query.attach_type = BPF_CGROUP_DEVICE;
    attributes.query.prog_ids = address(ids.data());
    attributes.query.prog_cnt = static_cast<std::uint32_t>(ids.size());
    if (bpf(BPF_PROG_QUERY, attributes) != 0) {
        return base::errno_error("query device programs");
    }
    ids.resize(std::min<std::size_t>(attributes.query.prog_cnt, ids.size()));
    return ids;
}

// Empty when the program is gone, or somebody else's.
base::Result<base::Fd> open_ours(std::uint32_t id) {
    union bpf_attr attributes = {};
    attributes.prog_id = id;
    base::Fd fd(bpf(BPF_PROG_GET_FD_BY_ID, attributes));
    if (!fd.valid()) {
        if (errno == ENOENT) {
            return base::Fd();
        }
        return base::errno_error("open device program " + std::to_string(id));
    }
    struct bpf_prog_info info = {};
    attributes = {};
    attributes.info.bpf_fd = static_cast<std::uint32_t>(fd.get());
    attributes.info.info = address(&info);
    attributes.info.info_len = sizeof(info);
    if (bpf(BPF_OBJ_GET_INFO_BY_FD, attributes) != 0) {
        return base::errno_error("inspect device program " + std::to_string(id));
    }
    const bool ours = std::strncmp(info.name, kProgramName, sizeof(info.name)) == 0;
    return ours ? std::move(fd) : base::Fd();
}

base::Result<std::vector<base::Fd>> attached_of_ours(int cgroup) {
    std::vector<base::Fd> ours;
    for (const std::uint32_t id : TRY(attached_ids(cgroup))) {
        auto fd = TRY(open_ours(id));
        if (fd.valid()) {
            ours.push_back(std::move(fd));
        }
    }
    return ours;
}

// In the place of `old`, if there is one, in one step.
int attach(int cgroup, const base::Fd& program, const base::Fd* old) {
    union bpf_attr attributes = {};
    attributes.target_fd = static_cast<std::uint32_t>(cgroup);
    attributes.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
    attributes.attach_type = BPF_CGROUP_DEVICE;
    // MULTI: programs further up or down the tree stay in force as well.
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    if (old != nullptr) {
        attributes.attach_flags |= BPF_F_REPLACE;
        attributes.replace_bpf_fd = static_cast<std::uint32_t>(old->get());
    }
    return bpf(BPF_PROG_ATTACH, attributes);
}

base::Status detach(int cgroup, const base::Fd& program) {
    union bpf_attr attributes = {};
    attributes.target_fd = static_cast<std::uint32_t>(cgroup);
    attributes.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
    attributes.attach_type = BPF_CGROUP_DEVICE;
    if (bpf(BPF_PROG_DETACH, attributes) != 0 && errno != ENOENT) {
        return base::errno_error("detach an old device program");
    }
    return base::ok();
}

}  // namespace

base::Result<base::Fd> load_device_program(const std::vector<DeviceRule>& rules) {
    return load_program(TRY(assemble_device_program(rules)));
}

base::Status attach_device_program(int cgroup, const base::Fd& program) {
    auto old = TRY(attached_of_ours(cgroup));
    const bool replaced = !old.empty() && attach(cgroup, program, &old.front()) == 0;
    if (replaced) {
        old.erase(old.begin());
    } else if (attach(cgroup, program, nullptr) != 0) {
        // Also the way of kernels before 5.6, which cannot replace: while both are attached, a device
        // is allowed only when both allow it.
        return base::errno_error("attach the device program");
    }
    for (const base::Fd& one : old) {
        TRY(detach(cgroup, one));
    }
    return base::ok();
}

base::Status replace_device_program(int cgroup, const std::vector<DeviceRule>& rules) {
    return attach_device_program(cgroup, TRY(load_device_program(rules)));
}

namespace {

bool same(const DeviceAccess& a, const DeviceAccess& b) {
    return std::tie(a.type, a.major, a.minor, a.read, a.write, a.make) ==
           std::tie(b.type, b.major, b.minor, b.read, b.write, b.make);
}

}  // namespace

base::Status DevicePrograms::set(const Cgroup& cgroup, const std::vector<DeviceAccess>& allowed) {
    auto known = std::find_if(loaded_.begin(), loaded_.end(), [&](const auto& entry) {
        return std::equal(
            entry.first.begin(), entry.first.end(), allowed.begin(), allowed.end(), same);
    });
    if (known == loaded_.end()) {
        loaded_.emplace_front(allowed, TRY(load_device_program(to_rules(allowed))));
        known = loaded_.begin();
    }
    return attach_device_program(cgroup.dir(), known->second);
}

base::Status Cgroup::set_devices(const std::vector<DeviceAccess>& allowed) const {
    return base::with_context(DevicePrograms().set(*this, allowed), "cgroup " + path_);
}

}  // namespace warren::cgroups
