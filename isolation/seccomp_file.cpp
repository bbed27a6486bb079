// Profile files in the containers format, from untrusted text: each problem is reported with its
// JSON place.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include <sys/utsname.h>

#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "isolation/capabilities.hpp"
#include "isolation/seccomp_json.hpp"
#include "isolation/seccomp_oci.hpp"

namespace warren::isolation {

namespace {

using base::JsonReader;
using seccomp_json::architecture_token;
using seccomp_json::Problems;

// What includes and excludes are measured against.
struct Host {
    std::uint64_t capabilities = 0;
    std::string_view architecture;  // as Go names it
    std::pair<unsigned, unsigned> kernel;
};

std::string_view go_architecture() {
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#else
    return "unknown";
#endif
}

// "6.1.0-13-amd64" -> 6, 1.
std::optional<std::pair<unsigned, unsigned>> parse_kernel(std::string_view text) {
    unsigned major = 0;
    unsigned minor = 0;
    const char* end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, major);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.' ||
        std::from_chars(first.ptr + 1, end, minor).ec != std::errc()) {
        return std::nullopt;
    }
    return std::pair(major, minor);
}

Host this_host(std::uint64_t capabilities) {
    Host host{.capabilities = capabilities, .architecture = go_architecture()};
    utsname names{};
    if (::uname(&names) == 0) {
        const std::string_view release(static_cast<const char*>(names.release));
        host.kernel = parse_kernel(release).value_or(std::pair(0U, 0U));
    }
    return host;
}

// Whether the host has what "includes" asks for and nothing of what "excludes" names.
class Applies {
public:
    Applies(const Host& host, Problems& problems) : host_(host), problems_(problems) {}

    bool operator()(const JsonReader& entry) {
        const auto includes = problems_.keep(entry.object("includes"));
        const auto excludes = problems_.keep(entry.object("excludes"));
        bool applies = true;
        if (includes) {
            const auto caps = capabilities(*includes);
            const auto archs = architectures(*includes);
            applies = applies && (caps & ~host_.capabilities) == 0;
            applies = applies && (archs.empty() || has_architecture(archs));
            applies = applies && kernel(*includes).value_or(true);
        }
        if (excludes) {
            applies = (capabilities(*excludes) & host_.capabilities) == 0 && applies;
            applies = !has_architecture(architectures(*excludes)) && applies;
            applies = !kernel(*excludes).value_or(false) && applies;
        }
        return applies;
    }

private:
    // A capability that this libcap does not know counts as one that nobody has.
    std::uint64_t capabilities(const JsonReader& filter) {
        std::uint64_t mask = 0;
        for (const std::string& name :
             problems_.keep(filter.strings("caps")).value_or(std::vector<std::string>())) {
            constexpr std::uint64_t kNobody = std::uint64_t{1} << 63U;
            const auto bit = parse_capability(name);
            mask |= bit ? bit.value() : kNobody;
        }
        return mask;
    }

    std::vector<std::string> architectures(const JsonReader& filter) {
        return problems_.keep(filter.strings("arches")).value_or(std::vector<std::string>());
    }

    [[nodiscard]] bool has_architecture(const std::vector<std::string>& names) const {
        return std::find(names.begin(), names.end(), host_.architecture) != names.end();
    }

    // Whether this kernel is at least "minKernel"; nothing when the filter does not say.
    std::optional<bool> kernel(const JsonReader& filter) {
        const auto text = problems_.keep(filter.optional_string("minKernel"));
        if (!text || !*text || (*text)->empty()) {
            return std::nullopt;
        }
        const auto version = parse_kernel(**text);
        if (!version) {
            problems_.add(filter, "minKernel", "\"" + **text + "\" is no kernel version");
            return std::nullopt;
        }
        return host_.kernel >= *version;
    }

    const Host& host_;
    Problems& problems_;
};

std::optional<std::uint16_t> errno_number(const std::string& name) {
    for (int number = 1; number <= 133; ++number) {
        const char* known = ::strerrorname_np(number);
        if (known != nullptr && name == known) {
            return static_cast<std::uint16_t>(number);
        }
    }
    return std::nullopt;
}

// `number_key`: "errnoRet"; `name_key`: the same as a name, which counts when the number is absent.
std::uint16_t read_errno(const JsonReader& reader,
                         const char* number_key,
                         const char* name_key,
                         Problems& problems) {
    const auto number = seccomp_json::read_error_number(reader, number_key, problems);
    const auto name = problems.keep(reader.optional_string(name_key));
    if (number || !name || !*name || (*name)->empty() || reader.has(number_key)) {
        return number.value_or(EPERM);  // what the format says
    }
    const auto known = errno_number(**name);
    if (!known) {
        problems.add(reader, name_key, "unknown error name \"" + **name + "\"");
    }
    return known.value_or(EPERM);
}

std::uint32_t to_action(const JsonReader& reader,
                        const char* key,
                        const std::string& name,
                        std::uint16_t error,
                        Problems& problems) {
    const auto action = seccomp_json::plain_action(name, error);
    if (!action) {
        problems.add(reader,
                     key,
                     name == "SCMP_ACT_NOTIFY"
                         ? "action SCMP_ACT_NOTIFY needs a listener, which there is none"
                         : "unknown action \"" + name + "\"");
    }
    return action.value_or(SCMP_ACT_KILL_PROCESS);
}

void read_call(const JsonReader& entry, const Host& host, SeccompRules& rules, Problems& problems) {
    SeccompRule rule;
    auto names = problems.keep(entry.strings("names")).value_or(std::vector<std::string>());
    if (const auto name = problems.keep(entry.optional_string("name"));
        name && *name && !(*name)->empty()) {
        names.push_back(**name);
    }
    for (std::string& name : names) {
        rule.names.push_back(rules.storage.emplace_back(std::move(name)));
    }
    if (rule.names.empty() && !entry.has("names")) {
        problems.add(entry, "names", "no system call is named");
    }
    const auto error = read_errno(entry, "errnoRet", "errno", problems);
    if (const auto action = problems.keep(entry.string("action"))) {
        rule.action = to_action(entry, "action", *action, error, problems);
    }
    rule.conditions = seccomp_json::read_conditions(entry, problems);
    if (Applies(host, problems)(entry)) {
        seccomp_json::append_rule(std::move(rule), rules.rules);
    }
}

void read_architecture(const JsonReader& place,
                       const char* key,
                       const std::string& name,
                       SeccompRules& rules,
                       Problems& problems) {
    const auto token = architecture_token(name);
    if (!token) {
        problems.add(place, key, "unknown architecture \"" + name + "\"");
        return;
    }
    auto& others = rules.other_architectures;
    if (*token != seccomp_arch_native() &&
        std::find(others.begin(), others.end(), *token) == others.end()) {
        others.push_back(*token);
    }
}

// "architectures" lists them outright; "archMap" lists per native architecture what goes along with
// it.
void read_architectures(const JsonReader& root, SeccompRules& rules, Problems& problems) {
    const auto names =
        problems.keep(root.strings("architectures")).value_or(std::vector<std::string>());
    const auto map = problems.keep(root.objects("archMap")).value_or(std::vector<JsonReader>());
    if (!names.empty() && !map.empty()) {
        problems.add(root, "archMap", "\"architectures\" and \"archMap\" exclude each other");
    }
    for (const std::string& name : names) {
        read_architecture(root, "architectures", name, rules, problems);
    }
    for (const JsonReader& entry : map) {
        const auto name = problems.keep(entry.string("architecture"));
        const auto others = problems.keep(entry.strings("subArchitectures"));
        if (!name || !others) {
            continue;
        }
        const auto token = architecture_token(*name);
        if (!token) {
            problems.add(entry, "architecture", "unknown architecture \"" + *name + "\"");
        }
        SeccompRules checked;
        for (const std::string& other : *others) {
            read_architecture(entry,
                              "subArchitectures",
                              other,
                              token == seccomp_arch_native() ? rules : checked,
                              problems);
        }
    }
}

// Of the flags of seccomp(2) none changes what is allowed: one thread makes TSYNC pointless, LOG is
// the host's choice by its sysctl, and SPEC_ALLOW would only take a mitigation away.
void check_flags(const JsonReader& root, Problems& problems) {
    const auto known = oci_seccomp_flags();
    for (const std::string& flag :
         problems.keep(root.strings("flags")).value_or(std::vector<std::string>())) {
        if (std::find(known.begin(), known.end(), flag) == known.end()) {
            problems.add(root, "flags", "unknown flag \"" + flag + "\"");
        }
    }
    if (const auto path = problems.keep(root.optional_string("listenerPath"));
        path && *path && !(*path)->empty()) {
        problems.add(root, "listenerPath", "a listener is not supported");
    }
}

base::Result<SeccompRules> parse_file(std::string_view text, const Host& host) {
    const auto json = TRY(base::parse_json(text, "seccomp profile", seccomp_json::kTextLimit));
    const auto root = TRY(base::with_context(JsonReader::of(json), "seccomp profile"));
    Problems problems;
    SeccompRules rules;
    const auto error = read_errno(root, "defaultErrnoRet", "defaultErrno", problems);
    if (const auto action = problems.keep(root.string("defaultAction"))) {
        rules.default_action = to_action(root, "defaultAction", *action, error, problems);
    }
    read_architectures(root, rules, problems);
    check_flags(root, problems);
    for (const JsonReader& entry :
         problems.keep(root.objects("syscalls")).value_or(std::vector<JsonReader>())) {
        read_call(entry, host, rules, problems);
    }
    seccomp_json::check_size(rules, root, problems);
    if (!problems.empty()) {
        return problems.take().with_context("seccomp profile");
    }
    return rules;
}

}  // namespace

base::Result<SeccompRules> file_rules(const SeccompConfig& config) {
    return parse_file(config.file_text, this_host(config.capabilities));
}

base::Status check_seccomp_file(std::string_view text) {
    // Every entry is read, whether it applies or not.
    TRY(parse_file(text, this_host(all_capabilities())));
    return base::ok();
}

}  // namespace warren::isolation
