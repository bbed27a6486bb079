#include <algorithm>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "base/fd.hpp"
#include "isolation/seccomp.hpp"
#include "isolation/seccomp_store.hpp"

namespace {

using namespace warren;
using isolation::SeccompConfig;
using isolation::SeccompProfile;

class Cache {
public:
    Cache() {
        REQUIRE(::mkdtemp(path_.data()) != nullptr);
        auto opened = base::open_dir(AT_FDCWD, path_);
        REQUIRE(opened.has_value());
        dir_ = std::move(opened).value();
    }

    Cache(const Cache&) = delete;
    Cache& operator=(const Cache&) = delete;
    Cache(Cache&&) = delete;
    Cache& operator=(Cache&&) = delete;

    ~Cache() { (void)base::remove_tree_at(AT_FDCWD, path_); }

    [[nodiscard]] int fd() const { return dir_.get(); }

    [[nodiscard]] std::vector<std::string> names() const {
        auto names = base::list_dir(dir_.get(), ".").value();
        std::erase_if(names, [](const std::string& name) { return name.ends_with(".tmp"); });
        return names;
    }

    [[nodiscard]] std::string read(const std::string& name) const {
        return base::read_file_at(dir_.get(), name).value();
    }

    void write(const std::string& name, const std::string& content, mode_t mode = 0600) const {
        REQUIRE(base::replace_file_at(dir_.get(), name, content, mode, base::Durability::Volatile)
                    .has_value());
    }

private:
    std::string path_ = "/tmp/warren-seccomp-XXXXXX";
    base::Fd dir_;
};

bool same(const isolation::SeccompProgram& a, const isolation::SeccompProgram& b) {
    return a.skipped_names == b.skipped_names && a.instructions.size() == b.instructions.size() &&
           std::memcmp(a.instructions.data(),
                       b.instructions.data(),
                       a.instructions.size() * sizeof(sock_filter)) == 0;
}

SeccompConfig file(std::string text) {
    return {.profile = SeccompProfile::File, .file_text = std::move(text)};
}

constexpr const char* kAllow =
    R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["none_such", "bpf"], "action": "SCMP_ACT_ERRNO"}]})";

}  // namespace

TEST_CASE("a compiled program is stored and found again") {
    for (const SeccompConfig& config : {SeccompConfig{.profile = SeccompProfile::Machine},
                                        SeccompConfig{.profile = SeccompProfile::Command},
                                        file(kAllow)}) {
        const Cache cache;
        const auto first = isolation::load_seccomp(config, cache.fd());
        REQUIRE(first.has_value());
        const std::string name = isolation::seccomp_key(config) + ".bpf";
        REQUIRE(cache.names() == std::vector{name});

        struct stat status {};

        REQUIRE(::fstatat(cache.fd(), name.c_str(), &status, 0) == 0);
        CHECK((status.st_mode & 0777) == 0600);
        const std::string stored = cache.read(name);
        const auto second = isolation::load_seccomp(config, cache.fd());
        REQUIRE(second.has_value());
        CHECK(same(first.value(), second.value()));
        CHECK(cache.read(name) == stored);
        CHECK(same(first.value(), isolation::compile_seccomp(config).value()));
    }
}

TEST_CASE("keys tell what makes a difference and nothing else") {
    const auto key = isolation::seccomp_key;
    const SeccompConfig machine{.profile = SeccompProfile::Machine};
    const SeccompConfig nesting{.profile = SeccompProfile::Machine, .nesting = true};
    const SeccompConfig command{.profile = SeccompProfile::Command};
    const SeccompConfig admin{.profile = SeccompProfile::Command,
                              .capabilities = std::uint64_t{1} << 21U};
    CHECK(key(machine) != key(nesting));
    CHECK(key(machine) != key(command));
    CHECK(key(command) != key(admin));
    CHECK(key(machine) == key({.profile = SeccompProfile::Machine, .capabilities = 5}));
    CHECK(key(file("{}")) != key(file("{ }")));
    CHECK(key({.profile = SeccompProfile::Unconfined}) == "unconfined");
    for (const SeccompConfig& config : {machine, command, file(std::string(5000, '/'))}) {
        CHECK(key(config).find('/') == std::string::npos);
        CHECK(key(config).size() < 64);
    }
}

TEST_CASE("a damaged, foreign or mislabelled entry is compiled anew") {
    const SeccompConfig config = file(kAllow);
    const auto expected = isolation::compile_seccomp(config).value();
    const std::string name = isolation::seccomp_key(config) + ".bpf";
    const Cache cache;
    REQUIRE(isolation::load_seccomp(config, cache.fd()).has_value());
    const std::string good = cache.read(name);
    const auto check_repaired = [&] {
        const auto loaded = isolation::load_seccomp(config, cache.fd());
        REQUIRE(loaded.has_value());
        CHECK(same(loaded.value(), expected));
        CHECK(cache.read(name) == good);
    };
    for (std::size_t at = 0; at < good.size(); at += 7) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 0x10);
        cache.write(name, bad);
        check_repaired();
    }
    for (const std::size_t length :
         {std::size_t{0}, std::size_t{5}, good.size() / 2, good.size() - 1}) {
        cache.write(name, good.substr(0, length));
        check_repaired();
    }
    cache.write(name, good + "x");
    check_repaired();
    // A sound entry of another profile under this name.
    const SeccompConfig other = file(R"({"defaultAction": "SCMP_ACT_ALLOW"})");
    REQUIRE(isolation::load_seccomp(other, cache.fd()).has_value());
    cache.write(name, cache.read(isolation::seccomp_key(other) + ".bpf"));
    check_repaired();
    // One that somebody else could have written.
    cache.write(name, good, 0620);
    check_repaired();

    struct stat status {};

    REQUIRE(::fstatat(cache.fd(), name.c_str(), &status, 0) == 0);
    CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("an entry that is a link is not followed") {
    const SeccompConfig config = file(kAllow);
    const std::string name = isolation::seccomp_key(config) + ".bpf";
    const Cache cache;
    REQUIRE(::symlinkat("/dev/null", cache.fd(), name.c_str()) == 0);
    REQUIRE(isolation::load_seccomp(config, cache.fd()).has_value());

    struct stat status {};

    REQUIRE(::fstatat(cache.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0);
    CHECK(S_ISREG(status.st_mode));
}

TEST_CASE("a cache that cannot be written is no error") {
    CHECK(isolation::load_seccomp({.profile = SeccompProfile::Command}, -1).has_value());
    const Cache cache;
    CHECK(isolation::load_seccomp({.profile = SeccompProfile::Unconfined}, cache.fd())
              .value()
              .instructions.empty());
    CHECK(cache.names().empty());
    CHECK(!isolation::load_seccomp(file("{}"), cache.fd()).has_value());
    CHECK(cache.names().empty());
}

TEST_CASE("what was written longest ago goes when there is too much") {
    const Cache cache;
    const auto fill = [&] {
        for (int i = 0; i < 6; ++i) {
            const std::string name = std::to_string(i) + ".bpf";
            cache.write(name, std::string(100, 'x'));
            // Backwards: neither the names nor the order of the directory decide.
            const timespec when{1'000'000 - i, 0};
            const timespec times[2] = {when, when};
            REQUIRE(::utimensat(cache.fd(), name.c_str(), times, 0) == 0);
        }
    };
    const auto left = [&] {
        auto names = cache.names();
        std::sort(names.begin(), names.end());
        return names;
    };
    fill();
    isolation::bound_seccomp_store(cache.fd(), {6, 600});
    CHECK(left().size() == 6);
    isolation::bound_seccomp_store(cache.fd(), {4, 600});
    CHECK(left() == std::vector<std::string>{"0.bpf", "1.bpf", "2.bpf", "3.bpf"});
    isolation::bound_seccomp_store(cache.fd(), {4, 299});
    CHECK(left() == std::vector<std::string>{"0.bpf", "1.bpf"});
    REQUIRE(::mkdirat(cache.fd(), "directory", 0700) == 0);
    isolation::bound_seccomp_store(cache.fd(), {0, 0});
    CHECK(left() == std::vector<std::string>{"directory"});
    isolation::bound_seccomp_store(-1);
}

TEST_CASE("a filter that is stored anew pushes the oldest out, and one that is found does not") {
    const Cache cache;
    const auto write_old = [&](int from, int to) {
        for (int i = from; i < to; ++i) {
            const std::string name = "old-" + std::to_string(i) + ".bpf";
            cache.write(name, "x");
            const timespec when{1'000'000 + i, 0};
            const timespec times[2] = {when, when};
            REQUIRE(::utimensat(cache.fd(), name.c_str(), times, 0) == 0);
        }
    };
    const auto bound = isolation::SeccompStoreBounds{}.entries;
    write_old(0, static_cast<int>(bound));
    REQUIRE(isolation::load_seccomp(file(kAllow), cache.fd()).has_value());
    auto names = cache.names();
    CHECK(names.size() == bound);
    CHECK(std::find(names.begin(), names.end(), "old-0.bpf") == names.end());
    CHECK(std::find(names.begin(), names.end(), isolation::seccomp_key(file(kAllow)) + ".bpf") !=
          names.end());
    write_old(0, 1);
    REQUIRE(isolation::load_seccomp(file(kAllow), cache.fd()).has_value());
    CHECK(cache.names().size() == bound + 1);
}
