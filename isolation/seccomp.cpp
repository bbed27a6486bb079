#include "isolation/seccomp.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <optional>
#include <type_traits>

#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/hash.hpp"
#include "isolation/seccomp_rules.hpp"
#include "isolation/seccomp_store.hpp"

namespace warren::isolation {

namespace {

// Raise it when compile_rules() makes another program of the same rules.
constexpr std::string_view kCompilerRevision = "3";
constexpr std::string_view kMagic = "warren seccomp entry 2\n";

std::string hexadecimal(std::uint64_t value) {
    std::array<char, 17> text{};
    (void)std::snprintf(
        text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
    return text.data();
}

std::string_view profile_name(SeccompProfile profile) {
    switch (profile) {
        case SeccompProfile::Machine:
            return "machine";
        case SeccompProfile::Command:
            return "command";
        case SeccompProfile::File:
            return "file";
        case SeccompProfile::Oci:
            return "oci";
        case SeccompProfile::Unconfined:
            break;
    }
    return "unconfined";
}

// Everything a house program is made from.
std::string rules_digest(const SeccompRules& rules) {
    std::uint64_t hash = base::fnv1a(std::to_string(rules.default_action));
    const auto mix = [&hash](std::string_view text) {
        hash = base::fnv1a(text, base::fnv1a("|", hash));
    };
    const auto mix_number = [&mix](std::uint64_t value) {
        mix({reinterpret_cast<const char*>(&value), sizeof value});
    };
    for (const std::uint32_t architecture : rules.other_architectures) {
        mix_number(architecture);
    }
    mix_number(rules.foreign_action);
    for (const SeccompRule& rule : rules.rules) {
        mix_number(rule.action);
        for (const std::string_view name : rule.names) {
            mix(name);
        }
        for (const SeccompCondition& condition : rule.conditions) {
            mix_number(condition.index);
            mix_number(static_cast<std::uint64_t>(condition.op));
            mix_number(condition.value);
            mix_number(condition.value_two);
        }
    }
    for (const std::string_view name : rules.known_names) {
        mix(name);
    }
    return hexadecimal(hash);
}

// The full text behind a key. A profile file stands in it whole, so that nobody gains by forging a
// hash.
std::string key_text(const SeccompConfig& config) {
    const scmp_version* version = seccomp_version();
    std::string text = "compiler " + std::string(kCompilerRevision) + "\nlibseccomp ";
    if (version != nullptr) {
        text += std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
                std::to_string(version->micro);
    }
    text += "\narchitecture " + std::to_string(seccomp_arch_native());
    text += "\nprofile " + std::string(profile_name(config.profile)) + "\n";
    if (config.profile != SeccompProfile::File && config.profile != SeccompProfile::Oci) {
        return text + "rules " + rules_digest(house_rules(config)) + "\n";
    }
    utsname names{};
    if (::uname(&names) == 0) {
        text += "kernel " + std::string(static_cast<const char*>(names.release)) + "\n";
    }
    if (config.profile == SeccompProfile::File) {
        text += "capabilities " + hexadecimal(config.capabilities) + "\n";
    }
    return text + "content\n" + config.file_text;
}

std::string key_of(const SeccompConfig& config, std::string_view text) {
    return std::string(profile_name(config.profile)) + "-" + hexadecimal(base::fnv1a(text));
}

template <typename T>
void put(std::string& out, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const std::size_t at = out.size();
    out.resize(at + sizeof value);
    std::memcpy(out.data() + at, &value, sizeof value);
}

// Takes a value off the front; nothing when too little is there.
template <typename T>
std::optional<T> take(std::string_view& from) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (from.size() < sizeof(T)) {
        return std::nullopt;
    }
    T value{};
    std::memcpy(&value, from.data(), sizeof value);
    from.remove_prefix(sizeof value);
    return value;
}

// magic, length of the key text, key text, skipped names, flags, listener, count, instructions,
// FNV-1a of all before.
std::string encode(std::string_view text, const SeccompProgram& program) {
    std::string out(kMagic);
    put(out, static_cast<std::uint64_t>(text.size()));
    out += text;
    put(out, program.skipped_names);
    put(out, program.filter_flags);
    put(out, static_cast<std::uint32_t>(program.listener));
    put(out, static_cast<std::uint32_t>(program.instructions.size()));
    for (const sock_filter& instruction : program.instructions) {
        put(out, instruction);
    }
    put(out, base::fnv1a(out));
    return out;
}

std::optional<SeccompProgram> decode(std::string_view entry, std::string_view text) {
    if (!entry.starts_with(kMagic) || entry.size() < kMagic.size() + sizeof(std::uint64_t)) {
        return std::nullopt;
    }
    const auto body = entry.substr(0, entry.size() - sizeof(std::uint64_t));
    auto tail = entry.substr(body.size());
    if (take<std::uint64_t>(tail) != base::fnv1a(body)) {
        return std::nullopt;
    }
    auto rest = body.substr(kMagic.size());
    if (take<std::uint64_t>(rest) != text.size() || !rest.starts_with(text)) {
        return std::nullopt;
    }
    rest.remove_prefix(text.size());
    const auto skipped = take<std::uint32_t>(rest);
    const auto flags = take<std::uint32_t>(rest);
    const auto listener = take<std::uint32_t>(rest);
    const auto count = take<std::uint32_t>(rest);
    if (!skipped || !flags || !listener || !count || *count == 0 || *count > BPF_MAXINSNS ||
        rest.size() != *count * sizeof(sock_filter)) {
        return std::nullopt;
    }
    SeccompProgram program;
    program.skipped_names = *skipped;
    program.filter_flags = *flags;
    program.listener = *listener != 0;
    program.instructions.resize(*count);
    std::memcpy(program.instructions.data(), rest.data(), rest.size());
    return program;
}

// Only what we alone can have written is taken for a filter.
std::optional<SeccompProgram> read_entry(int cache_dir,
                                         const std::string& name,
                                         std::string_view text) {
    const auto file = base::open_at(cache_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!file) {
        return std::nullopt;
    }

    struct stat status {};

    if (::fstat(file.value().get(), &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_uid != ::geteuid() || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return std::nullopt;
    }
    constexpr std::size_t kOverhead = 4096;
    const std::size_t limit = text.size() + BPF_MAXINSNS * sizeof(sock_filter) + kOverhead;
    const auto entry = base::read_all(file.value().get(), limit, name);
    return entry ? decode(entry.value(), text) : std::nullopt;
}

}  // namespace

std::string seccomp_key(const SeccompConfig& config) {
    if (config.profile == SeccompProfile::Unconfined) {
        return std::string(profile_name(config.profile));
    }
    return key_of(config, key_text(config));
}

base::Result<SeccompProgram> compile_seccomp(const SeccompConfig& config) {
    switch (config.profile) {
        case SeccompProfile::Unconfined:
            return SeccompProgram{};
        case SeccompProfile::File:
            return compile_rules(TRY(file_rules(config)));
        case SeccompProfile::Oci: {
            const auto rules = TRY(oci_rules(config));
            return rules ? compile_rules(*rules) : SeccompProgram{};
        }
        case SeccompProfile::Machine:
        case SeccompProfile::Command:
            break;
    }
    return compile_rules(house_rules(config));
}

base::Result<SeccompProgram> load_seccomp(const SeccompConfig& config, int cache_dir) {
    if (config.profile == SeccompProfile::Unconfined) {
        return SeccompProgram{};
    }
    const std::string text = key_text(config);
    const std::string name = key_of(config, text) + ".bpf";
    if (auto cached = read_entry(cache_dir, name, text)) {
        return std::move(*cached);
    }
    auto program = TRY(compile_seccomp(config));
    if (program.instructions.empty()) {
        return program;
    }
    const auto stored = base::replace_file_at(
        cache_dir, name, encode(text, program), 0600, base::Durability::Volatile);
    if (stored) {
        bound_seccomp_store(cache_dir);
    }
    return program;
}

}  // namespace warren::isolation
