#include "isolation/seccomp_oci.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "isolation/seccomp_json.hpp"

namespace warren::isolation {

namespace {

using base::JsonReader;
using seccomp_json::Problems;

constexpr std::string_view kNotify = "SCMP_ACT_NOTIFY";
constexpr std::string_view kPlace = "/linux/seccomp";
// What a container's first process calls to report a failure when its filter is loaded already.
constexpr std::string_view kReportCall = "sendmsg";

struct Flag {
    std::string_view name;
    std::uint32_t value;
};

constexpr std::array kFlags = {
    Flag{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
    Flag{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    Flag{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    Flag{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
};

// A flag that is known is complained about by the missing program, an unknown one by its value.
bool kernel_takes(std::uint32_t flag) {
    std::uint32_t flags = flag;
    if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) {
        flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
    }
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, nullptr) != 0 && errno == EFAULT;
}

// Whether programs of that instruction set can run on this machine at all. A filter for one that
// cannot answers nobody, and libseccomp refuses to mix byte orders.
bool can_run(std::uint32_t architecture) {
#if defined(__x86_64__)
    return architecture == SCMP_ARCH_X86 || architecture == SCMP_ARCH_X32;
#elif defined(__aarch64__)
    return architecture == SCMP_ARCH_ARM;
#else
    (void)architecture;
    return true;
#endif
}

struct Action {
    std::uint32_t value = SCMP_ACT_KILL_PROCESS;
    bool notify = false;
};

Action read_action(const JsonReader& reader,
                   const char* action_key,
                   const char* errno_key,
                   Problems& problems) {
    const auto name = problems.keep(reader.string(action_key));
    const auto number = seccomp_json::read_error_number(reader, errno_key, problems);
    if (!name) {
        return {};
    }
    const bool takes_number = *name == "SCMP_ACT_ERRNO" || *name == "SCMP_ACT_TRACE";
    if (number.value_or(0) != 0 && !takes_number) {
        problems.add(reader, errno_key, *name + " takes no error number");
    }
    if (*name == kNotify) {
        return {.value = SCMP_ACT_NOTIFY, .notify = true};
    }
    const auto action = seccomp_json::plain_action(*name, number.value_or(EPERM));
    if (!action) {
        problems.add(reader, action_key, "unknown action \"" + *name + "\"");
    }
    return {.value = action.value_or(SCMP_ACT_KILL_PROCESS)};
}

void read_call(const JsonReader& entry, SeccompRules& rules, Problems& problems) {
    SeccompRule rule;
    for (std::string& name :
         problems.keep(entry.strings("names")).value_or(std::vector<std::string>())) {
        rule.names.push_back(rules.storage.emplace_back(std::move(name)));
    }
    if (rule.names.empty()) {
        problems.add(entry, "names", "no system call is named");
    }
    const Action action = read_action(entry, "action", "errnoRet", problems);
    rule.action = action.value;
    if (action.notify &&
        std::find(rule.names.begin(), rule.names.end(), kReportCall) != rule.names.end()) {
        problems.add(entry,
                     "action",
                     std::string(kNotify) + " cannot be used for the " + std::string(kReportCall) +
                         " system call");
    }
    rules.listener = rules.listener || action.notify;
    rule.conditions = seccomp_json::read_conditions(entry, problems);
    seccomp_json::append_rule(std::move(rule), rules.rules);
}

void read_oci_architectures(const JsonReader& root, SeccompRules& rules, Problems& problems) {
    const auto names =
        problems.keep(root.strings("architectures")).value_or(std::vector<std::string>());
    auto& others = rules.other_architectures;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto token = seccomp_json::architecture_token(names[i]);
        if (!token) {
            problems.add(root,
                         "architectures/" + std::to_string(i),
                         "unknown architecture \"" + names[i] + "\"");
        } else if (*token != seccomp_arch_native() && can_run(*token) &&
                   std::find(others.begin(), others.end(), *token) == others.end()) {
            others.push_back(*token);
        }
    }
}

void read_flags(const JsonReader& root, SeccompRules& rules, Problems& problems) {
    const auto names = problems.keep(root.strings("flags")).value_or(std::vector<std::string>());
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string place = "flags/" + std::to_string(i);
        const auto* const flag = std::find_if(kFlags.begin(), kFlags.end(), [&](const Flag& known) {
            return known.name == names[i];
        });
        if (flag == kFlags.end()) {
            problems.add(root, place, "unknown flag \"" + names[i] + "\"");
        } else if (!kernel_takes(flag->value)) {
            problems.add(root, place, "this kernel has no " + names[i]);
        } else {
            rules.filter_flags |= flag->value;
        }
    }
}

void read_listener(const JsonReader& root, SeccompRules& rules, Problems& problems) {
    const auto path = problems.keep(root.optional_string("listenerPath"));
    const auto metadata = problems.keep(root.optional_string("listenerMetadata"));
    const bool has_path = path && *path && !(*path)->empty();
    if (metadata && *metadata && !(*metadata)->empty() && !has_path) {
        problems.add(root, "listenerMetadata", "listenerMetadata needs listenerPath");
    }
    if (rules.listener && !has_path) {
        problems.add(root, "listenerPath", std::string(kNotify) + " needs listenerPath");
    }
    if (!rules.listener) {
        // Both are about notifications, and the kernel refuses the second without them.
        rules.filter_flags &= ~std::uint32_t{SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV};
        return;
    }
    rules.filter_flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
    if ((rules.filter_flags & SECCOMP_FILTER_FLAG_TSYNC) != 0) {
        // Without it the two contend for the result of seccomp(2).
        rules.filter_flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
    }
}

// Whether a call that nobody thought of is already let through, or told that it does not exist.
bool default_suits_new_calls(std::uint32_t action) {
    return action == SCMP_ACT_ALLOW || action == SCMP_ACT_LOG || action == SCMP_ACT_ERRNO(ENOSYS) ||
           (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE;
}

base::Result<std::optional<SeccompRules>> parse(std::string_view text) {
    const auto json = TRY(base::parse_json(text, "linux.seccomp", seccomp_json::kTextLimit));
    const auto root = TRY(JsonReader::of(json, std::string(kPlace)));
    Problems problems;
    const auto calls = problems.keep(root.objects("syscalls")).value_or(std::vector<JsonReader>());
    const auto action = problems.keep(root.optional_string("defaultAction"));
    if (problems.empty() && calls.empty() && (!*action || (*action)->empty())) {
        return std::optional<SeccompRules>();
    }
    SeccompRules rules;
    const Action standard = read_action(root, "defaultAction", "defaultErrnoRet", problems);
    if (standard.notify) {
        problems.add(
            root, "defaultAction", std::string(kNotify) + " cannot be used as default action");
    }
    rules.default_action = standard.value;
    read_oci_architectures(root, rules, problems);
    read_flags(root, rules, problems);
    for (const JsonReader& entry : calls) {
        read_call(entry, rules, problems);
    }
    read_listener(root, rules, problems);
    seccomp_json::check_size(rules, root, problems);
    if (!problems.empty()) {
        return problems.take();
    }
    if (!default_suits_new_calls(rules.default_action)) {
        rules.known_names.assign(rules.storage.begin(), rules.storage.end());
    }
    return std::optional<SeccompRules>(std::move(rules));
}

}  // namespace

std::span<const std::string_view> oci_seccomp_actions() {
    static constexpr std::array<std::string_view, 9> kNames = {"SCMP_ACT_ALLOW",
                                                               "SCMP_ACT_ERRNO",
                                                               "SCMP_ACT_KILL",
                                                               "SCMP_ACT_KILL_PROCESS",
                                                               "SCMP_ACT_KILL_THREAD",
                                                               "SCMP_ACT_LOG",
                                                               kNotify,
                                                               "SCMP_ACT_TRACE",
                                                               "SCMP_ACT_TRAP"};
    return kNames;
}

std::span<const std::string_view> oci_seccomp_operators() {
    static constexpr std::array<std::string_view, 7> kNames = {"SCMP_CMP_EQ",
                                                               "SCMP_CMP_GE",
                                                               "SCMP_CMP_GT",
                                                               "SCMP_CMP_LE",
                                                               "SCMP_CMP_LT",
                                                               "SCMP_CMP_MASKED_EQ",
                                                               "SCMP_CMP_NE"};
    return kNames;
}

std::vector<std::string_view> oci_seccomp_architectures() {
    static constexpr std::array<std::string_view, 19> kNames = {"SCMP_ARCH_AARCH64",
                                                                "SCMP_ARCH_ARM",
                                                                "SCMP_ARCH_MIPS",
                                                                "SCMP_ARCH_MIPS64",
                                                                "SCMP_ARCH_MIPS64N32",
                                                                "SCMP_ARCH_MIPSEL",
                                                                "SCMP_ARCH_MIPSEL64",
                                                                "SCMP_ARCH_MIPSEL64N32",
                                                                "SCMP_ARCH_PARISC",
                                                                "SCMP_ARCH_PARISC64",
                                                                "SCMP_ARCH_PPC",
                                                                "SCMP_ARCH_PPC64",
                                                                "SCMP_ARCH_PPC64LE",
                                                                "SCMP_ARCH_RISCV64",
                                                                "SCMP_ARCH_S390",
                                                                "SCMP_ARCH_S390X",
                                                                "SCMP_ARCH_X32",
                                                                "SCMP_ARCH_X86",
                                                                "SCMP_ARCH_X86_64"};
    std::vector<std::string_view> known;
    std::copy_if(kNames.begin(), kNames.end(), std::back_inserter(known), [](const auto& name) {
        return seccomp_json::architecture_token(std::string(name)).has_value();
    });
    return known;
}

std::span<const std::string_view> oci_seccomp_flags() {
    static constexpr auto kNames = [] {
        std::array<std::string_view, kFlags.size()> names;
        std::transform(kFlags.begin(), kFlags.end(), names.begin(), [](const Flag& flag) {
            return flag.name;
        });
        return names;
    }();
    return kNames;
}

std::vector<std::string_view> supported_oci_seccomp_flags() {
    std::vector<std::string_view> names;
    for (const Flag& flag : kFlags) {
        if (kernel_takes(flag.value)) {
            names.push_back(flag.name);
        }
    }
    return names;
}

base::Result<std::optional<SeccompRules>> oci_rules(const SeccompConfig& config) {
    return parse(config.file_text);
}

base::Status check_seccomp_oci(std::string_view text) {
    TRY(parse(text));
    return base::ok();
}

}  // namespace warren::isolation
