#include "cgroups/device_program.hpp"

#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;

namespace {

struct Request {
    char type;
    std::string access;
    std::uint32_t major;
    std::uint32_t minor;
};

// What the kernel would answer: runs the few instructions that such programs are made of.
class Machine {
public:
    explicit Machine(const Request& request) {
        std::uint32_t access = 0;
        for (const char c : request.access) {
            access |= c == 'r'   ? std::uint32_t{BPF_DEVCG_ACC_READ}
                      : c == 'w' ? std::uint32_t{BPF_DEVCG_ACC_WRITE}
                                 : std::uint32_t{BPF_DEVCG_ACC_MKNOD};
        }
        const std::uint32_t type = request.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
        context_ = {(access << 16U) | type, request.major, request.minor};
    }

    [[nodiscard]] bool allows(const std::vector<struct bpf_insn>& program) {
        for (std::size_t at = 0;; ++at) {
            if (at >= program.size()) {
                FAIL("ran off the end");
            }
            const struct bpf_insn& one = program[at];
            auto& dst = registers_[one.dst_reg];
            switch (one.code) {
                case BPF_LDX | BPF_W | BPF_MEM:
                    dst = one.src_reg != BPF_REG_1 ? 0
                          : one.off == 0           ? context_.access_type
                          : one.off == 4           ? context_.major
                                                   : context_.minor;
                    break;
                case BPF_ALU64 | BPF_MOV | BPF_X:
                    dst = registers_[one.src_reg];
                    break;
                case BPF_ALU64 | BPF_MOV | BPF_K:
                    dst = static_cast<std::uint32_t>(one.imm);
                    break;
                case BPF_ALU64 | BPF_AND | BPF_K:
                    dst &= static_cast<std::uint32_t>(one.imm);
                    break;
                case BPF_ALU64 | BPF_RSH | BPF_K:
                    dst >>= static_cast<std::uint32_t>(one.imm);
                    break;
                case BPF_ALU64 | BPF_LSH | BPF_K:
                    dst <<= static_cast<std::uint32_t>(one.imm);
                    break;
                case BPF_ALU64 | BPF_SUB | BPF_K:
                    dst -= static_cast<std::uint64_t>(std::int64_t{one.imm});
                    break;
                case BPF_ALU64 | BPF_OR | BPF_X:
                    dst |= registers_[one.src_reg];
                    break;
                case BPF_ALU | BPF_XOR | BPF_K:
                    dst = static_cast<std::uint32_t>(dst) ^ static_cast<std::uint32_t>(one.imm);
                    break;
                case BPF_JMP | BPF_JSGE | BPF_K:
                    at += jump(one, static_cast<std::int64_t>(dst) >= one.imm);
                    break;
                case BPF_JMP | BPF_JNE | BPF_K:
                    at += jump(one, dst != static_cast<std::uint32_t>(one.imm));
                    break;
                case BPF_JMP | BPF_JEQ | BPF_K:
                    at += jump(one, dst == static_cast<std::uint32_t>(one.imm));
                    break;
                case BPF_JMP | BPF_EXIT:
                    return registers_[BPF_REG_0] != 0;
                default:
                    FAIL("unexpected instruction " << int{one.code});
            }
        }
    }

private:
    static std::size_t jump(const struct bpf_insn& one, bool taken) {
        return taken ? static_cast<std::size_t>(one.off) : 0;
    }

    struct bpf_cgroup_dev_ctx context_ = {};
    std::uint64_t registers_[MAX_BPF_REG] = {};
};

bool decides(const std::vector<DeviceRule>& rules, const Request& request) {
    return Machine(request).allows(assemble_device_program(rules).value());
}

bool allows(const std::vector<DeviceAccess>& rules, const Request& request) {
    return decides(to_rules(rules), request);
}

bool is_refused(const std::vector<DeviceAccess>& rules) {
    return !assemble_device_program(to_rules(rules));
}

constexpr std::optional<std::uint32_t> kAny;

}  // namespace

TEST_CASE("an empty list denies everything") {
    CHECK(!allows({}, {'c', "r", 1, 3}));
    CHECK(!allows({}, {'b', "m", 8, 0}));
}

TEST_CASE("a rule allows what it names and nothing beside") {
    const std::vector<DeviceAccess> null = {{'c', 1, 3, true, true, false}};
    CHECK(allows(null, {'c', "r", 1, 3}));
    CHECK(allows(null, {'c', "w", 1, 3}));
    CHECK(allows(null, {'c', "rw", 1, 3}));
    CHECK(!allows(null, {'c', "m", 1, 3}));
    CHECK(!allows(null, {'c', "rwm", 1, 3}));
    CHECK(!allows(null, {'b', "r", 1, 3}));
    CHECK(!allows(null, {'c', "r", 1, 4}));
    CHECK(!allows(null, {'c', "r", 2, 3}));
}

TEST_CASE("an absent number is any number") {
    const std::vector<DeviceAccess> terminals = {{'c', 136, {}, true, true, true}};
    CHECK(allows(terminals, {'c', "rwm", 136, 0}));
    CHECK(allows(terminals, {'c', "rwm", 136, 1048575}));
    CHECK(!allows(terminals, {'c', "r", 137, 0}));
    const std::vector<DeviceAccess> minor_only = {{'b', {}, 7, true, false, false}};
    CHECK(allows(minor_only, {'b', "r", 1, 7}));
    CHECK(!allows(minor_only, {'b', "w", 1, 7}));
    CHECK(!allows(minor_only, {'b', "r", 1, 8}));
}

TEST_CASE("all types, with and without all access") {
    const std::vector<DeviceAccess> make = {{'a', {}, {}, false, false, true}};
    CHECK(allows(make, {'b', "m", 8, 0}));
    CHECK(allows(make, {'c', "m", 1, 3}));
    CHECK(!allows(make, {'c', "r", 1, 3}));
    const std::vector<DeviceAccess> everything = {
        {'c', 1, 3, true, true, false}, {'a', {}, {}, true, true, true}, {'c', 5, 0}};
    CHECK(allows(everything, {'b', "rwm", 8, 0}));
    CHECK(allows(everything, {'c', "r", 5, 1}));
}

TEST_CASE("each rule stands for itself, in any number") {
    std::vector<DeviceAccess> rules;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        rules.push_back({i % 2 == 0 ? 'c' : 'b', i, i * 3, i % 3 != 0, i % 3 != 1, i % 3 != 2});
    }
    const auto program = assemble_device_program(to_rules(rules)).value();
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const char type = i % 2 == 0 ? 'c' : 'b';
        const char* good = i % 3 == 0 ? "wm" : i % 3 == 1 ? "rm" : "rw";
        const char* bad = i % 3 == 0 ? "r" : i % 3 == 1 ? "w" : "m";
        CHECK(Machine({type, good, i, i * 3}).allows(program));
        CHECK(!Machine({type, bad, i, i * 3}).allows(program));
    }
    CHECK(!Machine({'c', "r", 1000, 3000}).allows(program));
    rules.resize(1025);
    CHECK(assemble_device_program(to_rules(rules)).error().kind() == base::ErrorKind::Usage);
}

TEST_CASE("a rule without access allows nothing") {
    CHECK(!allows({{'a', {}, {}, false, false, false}}, {'c', "r", 1, 3}));
    CHECK(!allows({{'c', 1, 3, false, false, false}}, {'c', "r", 1, 3}));
}

TEST_CASE("numbers and types that no device has are refused") {
    CHECK(is_refused({{'x', 1, 3}}));
    CHECK(is_refused({{'c', 4096, 3}}));
    CHECK(is_refused({{'c', 1, 1048576}}));
}

TEST_CASE("what two rules allow together may be asked for at once") {
    const std::vector<DeviceAccess> two = {{'c', 1, 3, true, false, false},
                                           {'c', 1, 3, false, true, false}};
    CHECK(allows(two, {'c', "rw", 1, 3}));
    CHECK(!allows(two, {'c', "rwm", 1, 3}));
}

TEST_CASE("the last rule that names the device and the access decides") {
    const std::vector<DeviceRule> rules = {
        {false, 'a', kAny, kAny},
        {true, 'c', 1, 3},
        {true, 'b', 8, kAny},
        {false, 'b', 8, 1, false, true, true},
    };
    CHECK(decides(rules, {'c', "rwm", 1, 3}));
    CHECK(!decides(rules, {'c', "r", 1, 4}));
    CHECK(decides(rules, {'b', "rwm", 8, 0}));
    CHECK(decides(rules, {'b', "r", 8, 1}));
    CHECK(!decides(rules, {'b', "w", 8, 1}));
    CHECK(!decides(rules, {'b', "rw", 8, 1}));
    CHECK(!decides(rules, {'b', "m", 8, 1}));
}

TEST_CASE("a first rule of all devices is the default, a last one the end of the matter") {
    const std::vector<DeviceRule> privileged = {{true, 'a', kAny, kAny}, {false, 'c', 1, 1}};
    CHECK(decides(privileged, {'b', "rwm", 8, 0}));
    CHECK(!decides(privileged, {'c', "r", 1, 1}));
    const std::vector<DeviceRule> closed = {{true, 'c', 1, 3}, {false, 'a', kAny, kAny}};
    CHECK(!decides(closed, {'c', "r", 1, 3}));
    const std::vector<DeviceRule> open = {{false, 'c', 1, 3}, {true, 'a', kAny, kAny}};
    CHECK(decides(open, {'c', "rwm", 1, 3}));
}

TEST_CASE("rules that all allow, or all deny, may overlap and repeat in any order") {
    const std::vector<DeviceRule> allow = {{true, 'c', 1, 3, true, false, false},
                                           {true, 'c', 1, 3},
                                           {true, 'c', 1, 3},
                                           {true, 'c', kAny, 3, false, false, true},
                                           {true, 'b', kAny, kAny},
                                           {true, 'b', 8, 0},
                                           {true, 'b', 8, kAny, true, true, false},
                                           {true, 'a', 7, kAny}};
    CHECK(decides(allow, {'c', "rwm", 1, 3}));
    CHECK(decides(allow, {'c', "m", 9, 3}));
    CHECK(!decides(allow, {'c', "r", 9, 3}));
    CHECK(decides(allow, {'b', "rwm", 253, 1}));
    CHECK(decides(allow, {'c', "rwm", 7, 1}));
    CHECK(!decides(allow, {'c', "r", 8, 0}));
    std::vector<DeviceRule> deny = {{true, 'a', kAny, kAny}};
    for (auto rule : allow) {
        rule.allow = false;
        deny.push_back(rule);
    }
    CHECK(!decides(deny, {'c', "r", 1, 3}));
    CHECK(!decides(deny, {'c', "m", 9, 3}));
    CHECK(decides(deny, {'c', "rw", 9, 3}));
    CHECK(!decides(deny, {'c', "rm", 9, 3}));
    CHECK(!decides(deny, {'b', "r", 253, 1}));
    CHECK(!decides(deny, {'c', "w", 7, 1}));
}

TEST_CASE("many devices of one kind are asked for together, and each is found") {
    const std::vector<DeviceAccess> rules = {{'c', 1, 3},
                                             {'c', 1, 0},
                                             {'c', 4095, 1048575},
                                             {'c', 2048, 0},
                                             {'c', 0, 0},
                                             {'c', 0, 1},
                                             {'c', 136, kAny},
                                             {'c', kAny, 77}};
    for (const auto& numbers : std::vector<std::pair<std::uint32_t, std::uint32_t>>{{1, 3},
                                                                                    {1, 0},
                                                                                    {4095, 1048575},
                                                                                    {2048, 0},
                                                                                    {0, 0},
                                                                                    {0, 1},
                                                                                    {136, 0},
                                                                                    {136, 1048575},
                                                                                    {4095, 77},
                                                                                    {3000, 77}}) {
        const auto major = numbers.first;
        const auto minor = numbers.second;
        CAPTURE(major);
        CAPTURE(minor);
        CHECK(allows(rules, {'c', "rw", major, minor}));
        CHECK(!allows(rules, {'c', "rwm", major, minor}));
        CHECK(!allows(rules, {'b', "rw", major, minor}));
    }
    for (const auto& numbers : std::vector<std::pair<std::uint32_t, std::uint32_t>>{{1, 2},
                                                                                    {1, 4},
                                                                                    {0, 2},
                                                                                    {0, 3},
                                                                                    {3, 1},
                                                                                    {4095, 1048574},
                                                                                    {4094, 1048575},
                                                                                    {2048, 1},
                                                                                    {137, 0},
                                                                                    {135, 1048575},
                                                                                    {77, 136}}) {
        const auto major = numbers.first;
        const auto minor = numbers.second;
        CAPTURE(major);
        CAPTURE(minor);
        CHECK(!allows(rules, {'c', "r", major, minor}));
    }
}

// The kernel refuses code that is never reached: an answer must not be followed by what no jump leads to.
TEST_CASE("no code is without a way to it") {
    const std::vector<std::vector<DeviceRule>> lists = {
        {},
        {{true, 'a', kAny, kAny}, {false, 'c', 1, 3}},
        {{false, 'c', 1, 3}, {true, 'a', kAny, kAny}},
        {{true, 'c', kAny, kAny}, {true, 'c', 1, 3}, {true, 'b', 8, 0}},
        {{true, 'c', kAny, kAny}, {false, 'c', kAny, kAny}, {true, 'b', kAny, kAny}},
        {{true, 'a', kAny, kAny}, {true, 'c', 1, 3}},
        {{true, 'a', kAny, kAny, true, false, false}, {true, 'c', kAny, kAny, true, true, false}},
        {{true, 'c', 1, 3}, {true, 'c', 1, 5}, {true, 'c', 1, 7}, {true, 'c', 136, kAny}},
        {{true, 'b', 1, 3}, {true, 'b', 1, 5}, {true, 'b', 1, 7}, {true, 'b', kAny, kAny}},
    };
    for (std::size_t list = 0; list < lists.size(); ++list) {
        CAPTURE(list);
        const auto program = assemble_device_program(lists[list]).value();
        std::vector<bool> reached(program.size());
        reached[0] = true;
        for (std::size_t at = 0; at < program.size(); ++at) {
            CAPTURE(at);
            CHECK(reached[at]);
            const auto& one = program[at];
            if (one.code == (BPF_JMP | BPF_EXIT)) {
                continue;
            }
            REQUIRE(at + 1 < program.size());
            reached[at + 1] = true;
            if (BPF_CLASS(one.code) == BPF_JMP) {
                const auto target = at + 1 + static_cast<std::size_t>(one.off);
                REQUIRE(target < program.size());
                reached[target] = true;
            }
        }
        CHECK(program.back().code == (BPF_JMP | BPF_EXIT));
    }
}

TEST_CASE("what every container may use stays, whatever the list says") {
    Resources resources;
    resources.devices = {
        {true, 'c', 10, 229}, {false, 'a', kAny, kAny}, {true, 'b', 7, 0, true, false, false}};
    const auto rules = device_rules(resources);
    for (const auto& numbers : std::vector<std::pair<std::uint32_t, std::uint32_t>>{{1, 3},
                                                                                    {1, 5},
                                                                                    {1, 7},
                                                                                    {1, 8},
                                                                                    {1, 9},
                                                                                    {5, 0},
                                                                                    {5, 1},
                                                                                    {5, 2},
                                                                                    {136, 0},
                                                                                    {136, 7},
                                                                                    {10, 200}}) {
        const auto major = numbers.first;
        const auto minor = numbers.second;
        CAPTURE(major);
        CAPTURE(minor);
        CHECK(decides(rules, {'c', "rwm", major, minor}));
        CHECK(!decides(rules, {'b', "r", major, minor}));
    }
    CHECK(decides(rules, {'c', "m", 10, 229}));
    CHECK(!decides(rules, {'c', "r", 10, 229}));
    CHECK(!decides(rules, {'c', "r", 1, 1}));
    CHECK(decides(rules, {'b', "r", 7, 0}));
    CHECK(decides(rules, {'b', "rm", 7, 0}));
    CHECK(!decides(rules, {'b', "rw", 7, 0}));
    CHECK(decides(rules, {'b', "m", 8, 0}));
    CHECK(!decides(device_rules({}), {'c', "r", 10, 229}));
}
