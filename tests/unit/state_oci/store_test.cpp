#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/socket.hpp"
#include "tests/unit/state_oci/support.hpp"

using namespace warren::state::oci;
using namespace warren::state::oci::test;
using warren::base::ErrorKind;
using warren::base::LockMode;
namespace base = warren::base;
namespace fs = std::filesystem;

namespace {

class TempRoot {
public:
    TempRoot() : store_(Store::open(path().string(), true).value()) {}

    [[nodiscard]] fs::path path() const { return dir_.path() / "root"; }

    const Store* operator->() const { return &store_; }

    [[nodiscard]] std::set<std::string> names(const std::string& below = "") const {
        std::set<std::string> out;
        for (const auto& entry : fs::directory_iterator(path() / below)) {
            out.insert(entry.path().filename().string());
        }
        return out;
    }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path() / name) << text;
    }

    [[nodiscard]] std::string read(const std::string& name) const {
        std::ostringstream out;
        out << std::ifstream(path() / name).rdbuf();
        return out.str();
    }

private:
    TempDir dir_;
    Store store_;
};

using Names = std::set<std::string>;

unsigned mode_of(const fs::path& path) {
    struct stat info = {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return info.st_mode & 07777;
}

}  // namespace

TEST_CASE("where containers are by default") {
    CHECK(default_root(false, nullptr).value() == "/run/warren-oci");
    CHECK(default_root(false, "/run/user/7").value() == "/run/warren-oci");
    CHECK(default_root(true, "/run/user/7").value() == "/run/user/7/warren-oci");
    CHECK_FALSE(default_root(true, nullptr));
    CHECK_FALSE(default_root(true, ""));
    CHECK_FALSE(default_root(true, "relative"));
}

TEST_CASE("an absent root is an empty store, until one is made") {
    const TempDir dir;
    const auto path = (dir.path() / "a/b").string();
    const auto store = Store::open(path, false);
    REQUIRE(store);
    CHECK(store.value().ids().value().empty());
    CHECK(store.value().open(id("x")).error().kind() == ErrorKind::NotFound);
    CHECK_FALSE(store.value().is_locked(id("x")).value());
    store.value().sweep();
    CHECK_FALSE(store.value().create(id("x")));
    CHECK_FALSE(fs::exists(path));
    const auto old = ::umask(077);
    REQUIRE(Store::open(path, true));
    (void)::umask(old);
    CHECK(mode_of(path) == 01700);
    CHECK_FALSE(Store::open("", true));
    std::ofstream(dir.path() / "file") << "";
    CHECK_FALSE(Store::open((dir.path() / "file").string(), true));
    CHECK_FALSE(Store::open((dir.path() / "file").string(), false));
}

TEST_CASE("a container's directory is its own from the start") {
    const TempRoot root;
    auto made = root->create(id("c1"));
    REQUIRE(made);
    CHECK(made.value().id().str() == "c1");
    CHECK(root.names() == Names{"c1"});
    CHECK(mode_of(root.path() / "c1") == 0700);
    CHECK(root->is_locked(id("c1")).value());
    CHECK(root->lock(id("c1"), LockMode::Exclusive, kNoWait).error().kind() == ErrorKind::Busy);
    CHECK(made.value().load().value() == std::nullopt);
    CHECK((::fcntl(made.value().fd(), F_GETFD) & FD_CLOEXEC) != 0);

    const auto twin = root->create(id("c1"));
    REQUIRE_FALSE(twin);
    CHECK(twin.error().kind() == ErrorKind::Exists);
    CHECK(twin.error().describe() == "container \"c1\" exists already");
    CHECK(root.names() == Names{"c1"});
}

TEST_CASE("the longest id has room") {
    const TempRoot root;
    const std::string longest(255, 'x');
    const auto made = root->create(id(longest));
    REQUIRE(made);
    REQUIRE(made.value().save(record(longest)));
    CHECK(root->open(id(longest)).value().load().value() == record(longest));
}

TEST_CASE("records and configs come back, and nothing else is left") {
    const TempRoot root;
    const auto dir = root->create(id("c1")).value();
    REQUIRE(dir.save(record("c1")));
    REQUIRE(dir.save_config("{\"x\": 1}\n"));
    CHECK(root.names("c1") == Names{"state.json", "config.json"});
    CHECK(mode_of(root.path() / "c1/state.json") == 0600);
    CHECK(mode_of(root.path() / "c1/config.json") == 0600);
    const auto again = root->open(id("c1")).value();
    CHECK(again.load().value() == record("c1"));
    CHECK(again.load_config().value() == "{\"x\": 1}\n");
    auto changed = record("c1");
    changed.phase = Phase::Deleting;
    REQUIRE(dir.save(changed));
    CHECK(again.load().value() == changed);
    const auto other = dir.save(record("c2"));
    REQUIRE_FALSE(other);
    CHECK(again.load().value() == changed);
}

TEST_CASE("a missing config is said to be missing") {
    const TempRoot root;
    const auto dir = root->create(id("c1")).value();
    const auto config = dir.load_config();
    REQUIRE_FALSE(config);
    CHECK(config.error().kind() == ErrorKind::Corrupt);
    CHECK(config.error().describe().find("config.json") != std::string::npos);
}

TEST_CASE("the start socket is found, and removed") {
    const TempRoot root;
    const auto dir = root->create(id(std::string(255, 'y'))).value();
    CHECK_FALSE(dir.has_start_socket().value());
    CHECK(dir.remove_start_socket());
    const auto listener = base::listen_at(dir.fd(), kStartSocket, 0600);
    REQUIRE(listener);
    CHECK(dir.has_start_socket().value());
    CHECK(base::connect_at(dir.fd(), kStartSocket));
    CHECK(dir.remove_start_socket());
    CHECK_FALSE(dir.has_start_socket().value());
}

TEST_CASE("ids are listed sorted, and what is no container is left out") {
    const TempRoot root;
    for (const char* name : {"b", "a", "c"}) {
        REQUIRE(root->create(id(name)));
    }
    root.write("file", "");
    fs::create_directory(root.path() / "no id");
    fs::create_directory(root.path() / "#77.0");
    fs::create_directory_symlink(root.path() / "a", root.path() / "link");
    const auto ids = root->ids().value();
    CHECK(ids == std::vector<ContainerId>{id("a"), id("b"), id("c")});
    CHECK_FALSE(root->open(id("link")));
    CHECK_FALSE(root->open(id("file")));
}

TEST_CASE("locks exclude each other, end with their owner, and wait") {
    const TempRoot root;
    {
        const auto made = root->create(id("c1")).value();
        CHECK(root->is_locked(id("c1")).value());
    }
    CHECK_FALSE(root->is_locked(id("c1")).value());
    {
        const auto one = root->lock(id("c1"), LockMode::Shared, kNoWait);
        const auto two = root->lock(id("c1"), LockMode::Shared, kNoWait);
        REQUIRE(one);
        REQUIRE(two);
        CHECK_FALSE(root->is_locked(id("c1")).value());
        CHECK_FALSE(root->lock(id("c1"), LockMode::Exclusive, kNoWait));
    }
    auto held =
        std::make_unique<ContainerDir>(root->lock(id("c1"), LockMode::Exclusive, kNoWait).value());
    const auto busy = root->lock(id("c1"), LockMode::Shared, std::chrono::milliseconds(5));
    REQUIRE_FALSE(busy);
    CHECK(busy.error().kind() == ErrorKind::Busy);
    std::thread waiter(
        [&root] { CHECK(root->lock(id("c1"), LockMode::Exclusive, std::chrono::minutes(1))); });
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    held.reset();
    waiter.join();
}

TEST_CASE("who waits for a container that is removed meanwhile learns that it is gone") {
    const TempRoot root;
    auto held = root->create(id("c1")).value();
    std::thread waiter([&root] {
        const auto lock = root->lock(id("c1"), LockMode::Exclusive, std::chrono::minutes(1));
        REQUIRE_FALSE(lock);
        CHECK(lock.error().kind() == ErrorKind::NotFound);
        CHECK(lock.error().describe() == "container \"c1\" does not exist");
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    REQUIRE(root->remove(std::move(held)));
    waiter.join();
    CHECK(root.names().empty());
}

TEST_CASE("a lock is on what has the name now") {
    const TempRoot root;
    auto first = root->create(id("c1")).value();
    REQUIRE(root->remove(std::move(first)));
    const auto second = root->create(id("c1"));
    REQUIRE(second);
    CHECK(root->is_locked(id("c1")).value());
}

TEST_CASE("a container is removed with all that is in it") {
    const TempRoot root;
    auto dir = root->create(id("c1")).value();
    REQUIRE(root->create(id("c2")));
    REQUIRE(dir.save(record("c1")));
    REQUIRE(dir.save_config("{}"));
    REQUIRE(base::listen_at(dir.fd(), kStartSocket));
    fs::create_directories(root.path() / "c1/deep/er");
    root.write("c1/state.json.tmp", "x");
    root.write("c1/state.json.corrupt", "x");
    REQUIRE(root->remove(std::move(dir)));
    CHECK(root.names() == Names{"c2"});
    CHECK(root->open(id("c1")).error().kind() == ErrorKind::NotFound);
}

TEST_CASE("an unreadable record is set aside, named, and troubles nobody else") {
    const TempRoot root;
    for (const char* name : {"good", "bad"}) {
        REQUIRE(root->create(id(name)).value().save(record(name)));
    }
    for (const std::string& text : {std::string("{"),
                                    std::string(),
                                    std::string("[]"),
                                    std::string("{\"schema_version\": 1}"),
                                    to_json(record("other")).dump()}) {
        CAPTURE(text);
        fs::remove(root.path() / "bad/state.json.corrupt");
        root.write("bad/state.json", text);
        const auto dir = root->open(id("bad")).value();
        const auto read = dir.load();
        REQUIRE_FALSE(read);
        CHECK(read.error().kind() == ErrorKind::Corrupt);
        CHECK(read.error().describe().find("bad/state.json.corrupt") != std::string::npos);
        CHECK(root.names("bad") == Names{"state.json.corrupt"});
        CHECK(root.read("bad/state.json.corrupt") == text);
        const auto again = dir.load();
        REQUIRE_FALSE(again);
        CHECK(again.error().kind() == ErrorKind::Corrupt);
        CHECK(again.error().describe().find("bad/state.json.corrupt") != std::string::npos);
    }
    CHECK(root->open(id("good")).value().load().value() == record("good"));
    REQUIRE(root->remove(root->lock(id("bad"), LockMode::Exclusive, kNoWait).value()));
    CHECK(root->ids().value() == std::vector<ContainerId>{id("good")});
}

TEST_CASE("a newer record stays where it is") {
    const TempRoot root;
    const auto dir = root->create(id("c1")).value();
    auto json = to_json(record("c1"));
    json["schema_version"] = 2;
    root.write("c1/state.json", json.dump());
    const auto read = dir.load();
    REQUIRE_FALSE(read);
    CHECK(read.error().kind() == ErrorKind::Unsupported);
    CHECK(root.names("c1") == Names{"state.json"});
}

TEST_CASE("a record that is no file blocks nobody") {
    const TempRoot root;
    const auto dir = root->create(id("c1")).value();
    REQUIRE(::mkfifo((root.path() / "c1/state.json").c_str(), 0600) == 0);
    CHECK_FALSE(dir.load());
}

TEST_CASE("what a dead maker left without a name is swept, a live one's is not") {
    const TempRoot root;
    fs::create_directory(root.path() / "#1.0");
    fs::create_directory(root.path() / "#1.1");
    const int live = ::open((root.path() / "#1.1").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(::flock(live, LOCK_EX) == 0);
    REQUIRE(root->create(id("c1")));
    CHECK(root.names() == Names{"#1.1", "c1"});
    (void)::close(live);
    root->sweep();
    CHECK(root.names() == Names{"c1"});
}

TEST_CASE("of many makers of one id exactly one succeeds, and nothing is left of the others") {
    const TempRoot root;
    constexpr int kMakers = 8;
    constexpr int kRounds = 20;
    for (int round = 0; round < kRounds; ++round) {
        std::vector<pid_t> makers;
        for (int i = 0; i < kMakers; ++i) {
            const pid_t pid = ::fork();
            REQUIRE(pid >= 0);
            if (pid == 0) {
                const auto made = root->create(id("c"));
                const bool expected = made || made.error().kind() == ErrorKind::Exists;
                ::_exit(expected ? (made ? 1 : 0) : 2);
            }
            makers.push_back(pid);
        }
        int succeeded = 0;
        for (const pid_t pid : makers) {
            int status = 0;
            REQUIRE(::waitpid(pid, &status, 0) == pid);
            REQUIRE(WIFEXITED(status));
            CHECK(WEXITSTATUS(status) < 2);
            succeeded += WEXITSTATUS(status) == 1 ? 1 : 0;
        }
        CHECK(succeeded == 1);
        root->sweep();
        CHECK(root.names() == Names{"c"});
        REQUIRE(root->remove(root->lock(id("c"), LockMode::Exclusive, kNoWait).value()));
    }
}
