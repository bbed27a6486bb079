// bench_filter: warren's own filter and device program of a command guest, for the other launchers of the benchmarks.
//
//   bench_filter bpf       the compiled filter: struct sock_filter after struct sock_filter
//   bench_filter devices   the device program: struct bpf_insn after struct bpf_insn
//   bench_filter oci       linux.seccomp of an OCI config with the same calls. Two things cannot be said there: ENOSYS
//                          for calls younger than the list, and the answer to foreign instruction sets.
//   bench_filter lxc       the same for lxc.seccomp.profile
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cgroups/device_program.hpp"
#include "isolation/defaults.hpp"
#include "isolation/seccomp.hpp"
#include "isolation/seccomp_rules.hpp"

namespace {

using nlohmann::json;
namespace iso = warren::isolation;

iso::SeccompConfig command_profile() {
    return {.profile = iso::SeccompProfile::Command,
            .capabilities = iso::default_bounding(iso::GuestKind::Command, false)};
}

template <typename Element>
int write_all(const std::vector<Element>& elements) {
    const bool ok =
        std::fwrite(elements.data(), sizeof(Element), elements.size(), stdout) == elements.size();
    return ok && std::fflush(stdout) == 0 ? 0 : 1;
}

int print_bpf() {
    const auto program = iso::compile_seccomp(command_profile());
    return program ? write_all(program.value().instructions) : 1;
}

int print_devices() {
    std::vector<warren::cgroups::DeviceAccess> allowed;
    for (const auto& rule : iso::default_devices(iso::GuestKind::Command)) {
        warren::cgroups::DeviceAccess access;
        access.type = rule.type == iso::DeviceRule::Type::Char ? 'c' : 'b';
        access.major = rule.major;
        if (!rule.any_minor) {
            access.minor = rule.minor;
        }
        access.read = rule.read;
        access.write = rule.write;
        access.make = rule.make;
        allowed.push_back(access);
    }
    const auto program =
        warren::cgroups::assemble_device_program(warren::cgroups::to_rules(allowed));
    return program ? write_all(program.value()) : 1;
}

std::uint32_t errno_of(std::uint32_t action) {
    return action & 0xffffU;
}

bool is_errno(std::uint32_t action) {
    return (action & ~0xffffU) == SCMP_ACT_ERRNO(0);
}

const char* op_name(scmp_compare op) {
    switch (op) {
        case SCMP_CMP_EQ:
            return "SCMP_CMP_EQ";
        case SCMP_CMP_NE:
            return "SCMP_CMP_NE";
        case SCMP_CMP_LT:
            return "SCMP_CMP_LT";
        case SCMP_CMP_LE:
            return "SCMP_CMP_LE";
        case SCMP_CMP_GE:
            return "SCMP_CMP_GE";
        case SCMP_CMP_GT:
            return "SCMP_CMP_GT";
        default:
            return "SCMP_CMP_MASKED_EQ";
    }
}

json oci_rule(const iso::SeccompRule& rule) {
    json out;
    for (const auto name : rule.names) {
        out["names"].push_back(std::string(name));
    }
    out["action"] = is_errno(rule.action) ? "SCMP_ACT_ERRNO" : "SCMP_ACT_ALLOW";
    if (is_errno(rule.action)) {
        out["errnoRet"] = errno_of(rule.action);
    }
    for (const auto& condition : rule.conditions) {
        json argument = {
            {"index", condition.index}, {"op", op_name(condition.op)}, {"value", condition.value}};
        if (condition.op == SCMP_CMP_MASKED_EQ) {
            argument["valueTwo"] = condition.value_two;
        }
        out["args"].push_back(std::move(argument));
    }
    return out;
}

int print_oci() {
    const auto rules = iso::house_rules(command_profile());
    json out = {{"defaultAction", "SCMP_ACT_ERRNO"},
                {"defaultErrnoRet", errno_of(rules.default_action)}};
#if defined(__x86_64__)
    out["architectures"] = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
#else
    out["architectures"] = {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};
#endif
    for (const auto& rule : rules.rules) {
        out["syscalls"].push_back(oci_rule(rule));
    }
    std::cout << out.dump(1) << '\n';
    return 0;
}

// An allow-list of names; calls with conditions on their arguments are allowed whole.
int print_lxc() {
    const auto rules = iso::house_rules(command_profile());
    std::cout << "2\nallowlist errno " << errno_of(rules.default_action) << "\n[all]\n";
    for (const auto& rule : rules.rules) {
        if (!is_errno(rule.action)) {
            for (const auto name : rule.names) {
                std::cout << name << '\n';
            }
        }
    }
    return 0;
}

int print(const std::string& what) {
    if (what == "bpf") {
        return print_bpf();
    }
    if (what == "devices") {
        return print_devices();
    }
    if (what == "oci") {
        return print_oci();
    }
    if (what == "lxc") {
        return print_lxc();
    }
    std::cerr << "usage: bench_filter bpf|devices|oci|lxc\n";
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return print(argc == 2 ? argv[1] : "");
    } catch (const std::exception& error) {
        std::cerr << "bench_filter: " << error.what() << '\n';
        return 1;
    }
}
