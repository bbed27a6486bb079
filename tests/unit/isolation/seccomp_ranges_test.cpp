// The small program must answer as the long one does, to everything.
#include "isolation/seccomp_ranges.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <seccomp.h>

#include "base/fd.hpp"
#include "base/json.hpp"
#include "isolation/seccomp_rules.hpp"
#include "tests/unit/isolation/bpf_interpreter.hpp"

namespace {

using namespace warren;
using isolation::SeccompConfig;
using isolation::SeccompProfile;
using isolation::SeccompRules;
using Program = std::vector<sock_filter>;
using Words = std::array<std::uint32_t, sizeof(seccomp_data) / sizeof(std::uint32_t)>;

class Random {
public:
    explicit Random(std::uint32_t seed) : engine_(seed) {}

    std::uint32_t operator()() { return static_cast<std::uint32_t>(engine_()); }

private:
    std::mt19937 engine_;
};

constexpr std::size_t kNumberWord = offsetof(seccomp_data, nr) / 4;
constexpr std::size_t kArchitectureWord = offsetof(seccomp_data, arch) / 4;

bool same(const Program& a, const Program& b) {
    const auto equal = [](const sock_filter& one, const sock_filter& other) {
        return one.code == other.code && one.jt == other.jt && one.jf == other.jf &&
               one.k == other.k;
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), equal);
}

// What one call looks at.
struct Trace {
    bool constant = true;  // number and instruction set only
    // Words and the values that differ for a comparison with them.
    std::map<std::size_t, std::set<std::uint32_t>> values;
};

std::optional<std::uint32_t> run(const Program& program, const Words& words, Trace& trace) {
    seccomp_data data{};
    static_assert(sizeof data == sizeof words);
    std::memcpy(&data, words.data(), sizeof data);
    std::size_t word = 0;
    std::uint32_t mask = 0xffffffff;
    return test::run_bpf(program, data, [&](const sock_filter& now) {
        if (BPF_CLASS(now.code) == BPF_LD) {
            word = now.k / 4;
            mask = 0xffffffff;
            trace.constant = trace.constant && (word == kNumberWord || word == kArchitectureWord);
        } else if (BPF_CLASS(now.code) == BPF_ALU) {
            mask = now.k;
        } else if (BPF_CLASS(now.code) == BPF_JMP && BPF_OP(now.code) != BPF_JA) {
            auto& values = trace.values[word];
            values.insert({now.k - 1, now.k, now.k + 1, now.k | ~mask, mask, now.k & -now.k});
        }
    });
}

std::uint32_t one_of(const std::set<std::uint32_t>& values, Random& random) {
    return *std::next(values.begin(), static_cast<std::ptrdiff_t>(random() % values.size()));
}

// Both programs on one number with arguments that the long one compares with, and their neighbours.
// Counts the answers that differ.
int differences_at(const Program& before, const Program& after, Words words, Random& random) {
    Trace seen;
    Trace again;
    int wrong = run(before, words, seen) == run(after, words, again) ? 0 : 1;
    if (seen.constant) {
        return again.constant ? wrong : wrong + 1;
    }
    constexpr int kTries = 150;
    for (int i = 0; i < kTries; ++i) {
        for (const auto& [word, values] : seen.values) {
            if (word != kNumberWord && word != kArchitectureWord) {
                words.at(word) = one_of(values, random);
            }
        }
        wrong += run(before, words, seen) == run(after, words, again) ? 0 : 1;
    }
    return wrong;
}

// Values of the two fixed words: all constants of the program with their neighbours.
std::set<std::uint32_t> constants(const Program& program) {
    std::set<std::uint32_t> out = {0, 0xffffffff};
    for (const sock_filter& now : program) {
        if (BPF_CLASS(now.code) == BPF_JMP && BPF_OP(now.code) != BPF_JA) {
            out.insert({now.k - 1, now.k, now.k + 1});
        }
    }
    return out;
}

int differences(const Program& before, const Program& after) {
    constexpr std::uint32_t kX32 = 0x40000000;
    constexpr std::array<std::uint32_t, 4> kListed = {
        AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_S390X};
    constexpr std::array<std::uint32_t, 6> kOthers = {0,
                                                      AUDIT_ARCH_I386 + 1,
                                                      AUDIT_ARCH_ARM,
                                                      AUDIT_ARCH_X86_64 - 1,
                                                      AUDIT_ARCH_X86_64 + 1,
                                                      0xffffffff};
    Random random(1);
    auto numbers = constants(before);
    for (std::uint32_t number = 0; number < 600; ++number) {
        numbers.insert({number, kX32 + number});
    }
    int wrong = 0;
    const auto compare = [&](std::uint32_t architecture, std::uint32_t number) {
        Words words{};
        words[kNumberWord] = number;
        words[kArchitectureWord] = architecture;
        wrong += differences_at(before, after, words, random);
    };
    for (const std::uint32_t number : numbers) {
        for (const std::uint32_t architecture : kListed) {
            compare(architecture, number);
        }
    }
    for (const std::uint32_t architecture : kOthers) {
        for (const std::uint32_t number : {0U, 1U, 59U, kX32, kX32 + 1, 0xffffffffU}) {
            compare(architecture, number);
        }
    }
    return wrong;
}

Program long_program(const SeccompRules& rules) {
    auto program = isolation::compile_by_library(rules);
    REQUIRE_MESSAGE(program.has_value(), program.error().describe());
    return std::move(program).value().instructions;
}

std::string engine_profile() {
    const auto text = base::read_file_at(AT_FDCWD, WARREN_BENCH "/podman.json").value();
    const auto config = base::parse_json(text, "podman.json").value();
    return config.at("linux").at("seccomp").dump();
}

}  // namespace

TEST_CASE("the house's filters answer the same and are a quarter as long") {
    constexpr std::uint64_t kAdmin = std::uint64_t{1} << CAP_SYS_ADMIN;
    for (const SeccompConfig& config :
         {SeccompConfig{.profile = SeccompProfile::Command},
          SeccompConfig{.profile = SeccompProfile::Command, .capabilities = kAdmin},
          SeccompConfig{.profile = SeccompProfile::Machine},
          SeccompConfig{.profile = SeccompProfile::Machine, .nesting = true}}) {
        const Program before = long_program(isolation::house_rules(config));
        const Program after = isolation::to_ranges(before);
        CHECK(after.size() * 4 < before.size());
        CHECK(differences(before, after) == 0);
        CHECK(same(after, isolation::compile_seccomp(config).value().instructions));
    }
}

TEST_CASE("an engine's default profile for three instruction sets, and with a listener") {
    const std::string profile = engine_profile();
    std::string listener = profile;
    const std::string allow = "SCMP_ACT_ALLOW";
    const std::size_t at = listener.find(allow, listener.find("\"syscalls\""));
    REQUIRE(at != std::string::npos);
    listener.replace(at, allow.size(), "SCMP_ACT_LOG");
    listener.insert(1, R"("listenerPath": "/run/agent", )");
    const std::string rule = R"({"names": ["fchownat", "mkdirat"], "action": "SCMP_ACT_NOTIFY",
        "args": [{"index": 2, "value": 4294967297, "op": "SCMP_CMP_GE"}]}, )";
    listener.insert(listener.find('[', listener.find("\"syscalls\"")) + 1, rule);
    for (const std::string& text : {profile, listener}) {
        const auto rules =
            isolation::oci_rules({.profile = SeccompProfile::Oci, .file_text = text});
        REQUIRE_MESSAGE(rules.has_value(), rules.error().describe());
        REQUIRE(rules.value().has_value());
        const Program before = long_program(*rules.value());
        const Program after = isolation::to_ranges(before);
        CHECK(after.size() * 4 < before.size());
        CHECK(differences(before, after) == 0);
    }
}

namespace {

const std::array<std::uint32_t, 8> kActions = {SCMP_ACT_ALLOW,
                                               SCMP_ACT_ERRNO(1),
                                               SCMP_ACT_ERRNO(38),
                                               SCMP_ACT_KILL_PROCESS,
                                               SCMP_ACT_TRAP,
                                               SCMP_ACT_TRACE(7),
                                               SCMP_ACT_LOG,
                                               SCMP_ACT_NOTIFY};

isolation::SeccompCondition random_condition(unsigned index, Random& random) {
    constexpr std::array<std::uint64_t, 9> kValues = {0,
                                                      1,
                                                      2,
                                                      0xfffffff0,
                                                      0xffffffff,
                                                      0x100000000,
                                                      0x7e020000,
                                                      0xffff00000000,
                                                      ~std::uint64_t{0}};
    const auto op = static_cast<scmp_compare>(SCMP_CMP_NE + random() % 7);
    const std::uint64_t value = kValues.at(random() % kValues.size());
    return {index, op, value, kValues.at(random() % kValues.size()) & value};
}

SeccompRules random_rules(Random& random) {
    SeccompRules rules;
    rules.default_action = kActions.at(random() % 4);
    rules.foreign_action = kActions.at(random() % 4);
    for (const std::uint32_t architecture : std::array<std::uint32_t, 4>{
             SCMP_ARCH_X86, SCMP_ARCH_X32, SCMP_ARCH_AARCH64, SCMP_ARCH_S390X}) {
        if (random() % 2 == 0) {
            rules.other_architectures.push_back(architecture);
        }
    }
    const unsigned count = random() % 40;
    for (unsigned i = 0; i < count; ++i) {
        isolation::SeccompRule rule{.action = kActions.at(random() % kActions.size())};
        for (unsigned names = random() % 6 + 1; names > 0; --names) {
            char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64,
                                                          static_cast<int>(random() % 330));
            rule.names.emplace_back(rules.storage.emplace_back(name == nullptr ? "read" : name));
            std::free(name);
        }
        for (unsigned index = random() % 6; index < 6; index += random() % 6 + 1) {
            if (random() % 2 == 0) {
                rule.conditions.push_back(random_condition(index, random));
            }
        }
        rules.rules.push_back(std::move(rule));
    }
    return rules;
}

}  // namespace

TEST_CASE("random rules answer the same") {
    Random random(2);
    int compiled = 0;
    for (int i = 0; i < 25; ++i) {
        const SeccompRules rules = random_rules(random);
        const auto program = isolation::compile_by_library(rules);
        if (!program) {
            continue;  // rules that libseccomp finds at odds with each other
        }
        ++compiled;
        const Program& before = program.value().instructions;
        const Program after = isolation::to_ranges(before);
        CHECK(after.size() <= before.size());
        CHECK(differences(before, after) == 0);
    }
    CHECK(compiled > 10);
}

namespace {

constexpr std::array<std::uint32_t, 10> kPool = {
    0, 1, 2, 3, 0x40000000, AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, 0xfffffff0, 0xfffffffe, 0xffffffff};

std::uint32_t from_pool(Random& random) {
    return kPool.at(random() % kPool.size());
}

// Loads are followed by comparisons, as in what compilers write, but jumps go anywhere forward.
Program random_program(Random& random) {
    const std::size_t size = random() % 60 + 2;
    Program out(size);
    for (std::size_t at = 0; at < size; ++at) {
        const std::size_t left = size - at - 1;
        const auto skip = [&] {
            return static_cast<std::uint8_t>(random() % std::min<std::size_t>(left, 12));
        };
        const unsigned kind = left == 0 ? 0 : random() % 16;
        if (kind == 0) {
            out[at] = BPF_STMT(BPF_RET | BPF_K, random() % 4 << 16U);
        } else if (kind < 5 || at == 0) {
            constexpr std::array<std::uint32_t, 6> kOffsets = {0, 4, 16, 16, 20, 24};
            out[at] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kOffsets.at(random() % 6));
        } else if (kind == 5) {
            out[at] = BPF_STMT(BPF_JMP | BPF_JA, skip());
        } else if (kind == 6 && random() % 4 == 0) {
            out[at] = BPF_STMT(BPF_ALU | BPF_AND | BPF_K, from_pool(random));
        } else {
            constexpr std::array<std::uint16_t, 7> kOps = {
                BPF_JEQ, BPF_JEQ, BPF_JGE, BPF_JGE, BPF_JGT, BPF_JGT, BPF_JSET};
            const auto code = static_cast<std::uint16_t>(
                BPF_JMP | BPF_K | (random() % 8 == 0 ? kOps.at(6) : kOps.at(random() % 6)));
            out[at] = BPF_JUMP(code, from_pool(random), skip(), skip());
        }
    }
    return out;
}

int differences_in_pool(const Program& before, const Program& after, Random& random) {
    int wrong = 0;
    for (int i = 0; i < 200; ++i) {
        Words words{};
        for (std::uint32_t& word : words) {
            word = from_pool(random) + random() % 3 - 1;
        }
        Trace seen;
        Trace again;
        wrong += run(before, words, seen) == run(after, words, again) ? 0 : 1;
        // The kernel's own list of allowed calls must not lose any.
        wrong += seen.constant && !again.constant ? 1 : 0;
    }
    return wrong;
}

}  // namespace

TEST_CASE("any sound program answers the same") {
    Random random(3);
    int smaller = 0;
    for (int i = 0; i < 600; ++i) {
        const Program before = random_program(random);
        const Program after = isolation::to_ranges(before);
        CHECK(after.size() <= before.size());
        CHECK(differences_in_pool(before, after, random) == 0);
        smaller += after.size() < before.size() ? 1 : 0;
    }
    CHECK(smaller > 200);
}

TEST_CASE("jumps that would not reach are led on") {
    // Each number has an answer of its own, so that nothing can be shared.
    Program before = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
                      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 5, 0, 1)};
    before.push_back(BPF_STMT(BPF_JMP | BPF_JA, 1));
    before.push_back(BPF_STMT(BPF_RET | BPF_K, 9));
    before.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0));
    for (std::uint32_t number = 0; number < 900; ++number) {
        before.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 2));
        before.push_back(BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0));
        before.push_back(BPF_STMT(BPF_RET | BPF_K, 100 + number));
    }
    before.push_back(BPF_STMT(BPF_RET | BPF_K, 7));
    const Program after = isolation::to_ranges(before);
    CHECK(after.size() < before.size());
    CHECK(after.size() > 1800);
    for (const std::uint32_t architecture : {0U, 4U, 5U, 6U}) {
        for (std::uint32_t number = 0; number < 1000; ++number) {
            Words words{};
            words[kNumberWord] = number;
            words[kArchitectureWord] = architecture;
            Trace trace;
            const auto answer = run(after, words, trace);
            CHECK(answer == (architecture != 5 ? 9 : number < 900 ? 100 + number : 7));
        }
    }
}

TEST_CASE("what is not understood comes back as it is") {
    const sock_filter load = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
    const sock_filter end = BPF_STMT(BPF_RET | BPF_K, 1);
    const sock_filter compare = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0);
    const auto jump = [](std::uint8_t yes, std::uint8_t no) {
        return sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, yes, no);
    };
    for (const Program& program : {
             Program{},
             Program{load},  // falls off the end
             Program{load, compare},
             Program{load, jump(1, 0), end},  // leaves it
             Program{load, jump(0, 1), end},
             Program{load, jump(255, 255), end, end, end, end},
             Program{BPF_STMT(BPF_JMP | BPF_JA, 1), end},
             Program{BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), end, end, end},
             Program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), end, end, end},   // not a word
             Program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), end, end, end},  // behind the data
             Program{BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), end, end, end},
             Program{load, compare, BPF_STMT(BPF_RET | BPF_A, 0), end, end},
             Program{load, BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 3), compare, end, end, end},
             Program{load, BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 0), end, end, end},
             Program{load, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 1, 0, 0), end, end, end},
             Program{load, end, {0xffff, 0, 0, 0}, end},  // even where nobody comes
         }) {
        CHECK(same(isolation::to_ranges(program), program));
    }
}

TEST_CASE("random bytes change nothing and break nothing") {
    Random random(4);
    for (int i = 0; i < 1000; ++i) {
        Program program = random_program(random);
        for (unsigned damages = random() % 3 + 1; damages > 0; --damages) {
            auto* bytes = reinterpret_cast<unsigned char*>(program.data());
            bytes[random() % (program.size() * sizeof(sock_filter))] ^=
                static_cast<unsigned char>(1U << random() % 8);
        }
        const Program after = isolation::to_ranges(program);
        CHECK(after.size() <= program.size());
        if (!same(after, program)) {
            CHECK(differences_in_pool(program, after, random) == 0);
        }
    }
}
