// /linux/seccomp. Every word and number of it is looked at here, so that what isolation compiles later cannot
// be wrong in a place that nobody could name.
#include <linux/seccomp.h>

#include "runtime/spec/oci/reading.hpp"

namespace warren::spec::oci {

namespace {

using base::JsonReader;
using base::Result;
using base::Status;

// Whether an errno goes with the action.
enum class Action : std::uint8_t { Plain, WithErrno, Notify };

constexpr base::Words<Action, 9> kActions{{
    {"SCMP_ACT_KILL", Action::Plain},
    {"SCMP_ACT_KILL_PROCESS", Action::Plain},
    {"SCMP_ACT_KILL_THREAD", Action::Plain},
    {"SCMP_ACT_TRAP", Action::Plain},
    {"SCMP_ACT_ERRNO", Action::WithErrno},
    {"SCMP_ACT_TRACE", Action::WithErrno},
    {"SCMP_ACT_ALLOW", Action::Plain},
    {"SCMP_ACT_LOG", Action::Plain},
    {"SCMP_ACT_NOTIFY", Action::Notify},
}};

constexpr base::Words<bool, 20> kArchitectures{{
    {"SCMP_ARCH_X86", true},      {"SCMP_ARCH_X86_64", true},      {"SCMP_ARCH_X32", true},
    {"SCMP_ARCH_ARM", true},      {"SCMP_ARCH_AARCH64", true},     {"SCMP_ARCH_MIPS", true},
    {"SCMP_ARCH_MIPS64", true},   {"SCMP_ARCH_MIPS64N32", true},   {"SCMP_ARCH_MIPSEL", true},
    {"SCMP_ARCH_MIPSEL64", true}, {"SCMP_ARCH_MIPSEL64N32", true}, {"SCMP_ARCH_PPC", true},
    {"SCMP_ARCH_PPC64", true},    {"SCMP_ARCH_PPC64LE", true},     {"SCMP_ARCH_S390", true},
    {"SCMP_ARCH_S390X", true},    {"SCMP_ARCH_PARISC", true},      {"SCMP_ARCH_PARISC64", true},
    {"SCMP_ARCH_RISCV64", true},  {"SCMP_ARCH_LOONGARCH64", true},
}};

constexpr base::Words<bool, 7> kOperators{{
    {"SCMP_CMP_NE", true},
    {"SCMP_CMP_LT", true},
    {"SCMP_CMP_LE", true},
    {"SCMP_CMP_EQ", true},
    {"SCMP_CMP_GE", true},
    {"SCMP_CMP_GT", true},
    {"SCMP_CMP_MASKED_EQ", true},
}};

// From Linux 5.19; older headers lack it.
constexpr std::uint32_t kWaitKillableRecv = 1U << 5;

constexpr base::Words<std::uint32_t, 4> kFilterFlags{{
    {"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", kWaitKillableRecv},
}};

// The kernel's MAX_ERRNO; seccomp(2) cuts larger ones down to it.
constexpr std::uint64_t kMaxErrno = 4095;

Result<Action> read_action(const JsonReader& reader, const char* key, const char* errno_key) {
    const auto action = TRY(base::read_word(reader, key, kActions));
    const auto number = TRY(optional_uint_up_to(reader, errno_key, kMaxErrno));
    // Engines write 0 beside actions that have none.
    if (number && *number != 0 && action != Action::WithErrno) {
        return base::usage_error("no errno goes with " + TRY(reader.string(key)))
            .with_place(place_of(reader, errno_key));
    }
    return action;
}

Status check_arguments(const JsonReader& rule) {
    constexpr std::uint64_t kLastArgument = 5;
    for (const auto& reader : TRY(rule.objects("args"))) {
        TRY(uint_up_to(reader, "index", kLastArgument));
        TRY(reader.uint("value"));
        TRY(reader.optional_uint("valueTwo"));
        TRY(base::read_word(reader, "op", kOperators));
    }
    return base::ok();
}

Result<bool> read_rules(const JsonReader& seccomp) {
    bool notifies = false;
    for (const auto& rule : TRY(seccomp.objects("syscalls"))) {
        const auto names = TRY(rule.strings("names"));
        if (names.empty()) {
            return base::usage_error("expected names of system calls, found none")
                .with_place(place_of(rule, "names"));
        }
        for (std::size_t i = 0; i < names.size(); ++i) {
            TRY(refuse_control(names[i], place_of(rule, "names", i)));
        }
        notifies |= TRY(read_action(rule, "action", "errnoRet")) == Action::Notify;
        TRY(check_arguments(rule));
    }
    return notifies;
}

Status check_architectures(const JsonReader& seccomp) {
    const auto names = TRY(seccomp.strings("architectures"));
    for (std::size_t i = 0; i < names.size(); ++i) {
        TRY(base::value_of(kArchitectures, names[i], place_of(seccomp, "architectures", i)));
    }
    return base::ok();
}

}  // namespace

Result<std::optional<Seccomp>> read_seccomp(const JsonReader& linux) {
    const auto reader = TRY(section(linux, "seccomp"));
    if (!reader) {
        return std::optional<Seccomp>();
    }
    Seccomp out;
    // As the default action no listener could answer for the listener's own calls, and nobody can load it.
    if (TRY(read_action(*reader, "defaultAction", "defaultErrnoRet")) == Action::Notify) {
        return base::usage_error("SCMP_ACT_NOTIFY cannot be the default action")
            .with_place(place_of(*reader, "defaultAction"));
    }
    TRY(check_architectures(*reader));
    out.flags = TRY(bits_of_words<std::uint32_t>(*reader, "flags", kFilterFlags));
    out.notifies = TRY(read_rules(*reader));
    out.listener_path = TRY(text(*reader, "listenerPath"));
    out.listener_metadata = TRY(text(*reader, "listenerMetadata"));
    out.profile = base::dump_json(reader->value());
    return std::optional<Seccomp>(std::move(out));
}

}  // namespace warren::spec::oci
