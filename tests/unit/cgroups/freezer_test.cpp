#include "cgroups/events.hpp"
#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using namespace warren::cgroups::test;

TEST_CASE("parse_events") {
    CHECK(parse_events("populated 1\nfrozen 0\n").populated);
    CHECK(!parse_events("populated 1\nfrozen 0\n").frozen);
    CHECK(parse_events("frozen 1\npopulated 0\nnew 1\n").frozen);
    CHECK(!parse_events("").populated);
    CHECK(!parse_events("populated\n").populated);
}

TEST_CASE("a frozen guest stands still until it is thawed") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    int ends[2] = {};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const base::Fd read_end(ends[0]);
    const base::Fd write_end(ends[1]);
    // Answers each byte; a frozen one does not.
    const int in = ends[0];
    int replies[2] = {};
    REQUIRE(::pipe2(replies, O_CLOEXEC | O_NONBLOCK) == 0);
    const base::Fd reply_read(replies[0]);
    const base::Fd reply_write(replies[1]);
    const int out = replies[1];
    const Process echo(cgroup.dir(), [=] {
        char byte = 0;
        while (::read(in, &byte, 1) == 1) {
            if (::write(out, &byte, 1) != 1) {
                return 1;
            }
        }
        return 0;
    });
    CHECK(!cgroup.frozen().value());
    REQUIRE(cgroup.freeze(std::chrono::seconds(30)));
    CHECK(cgroup.frozen().value());
    CHECK(cgroup.freeze(std::chrono::seconds(30)));
    REQUIRE(::write(write_end.get(), "x", 1) == 1);
    char byte = 0;
    CHECK(::read(reply_read.get(), &byte, 1) == -1);
    REQUIRE(cgroup.thaw());
    REQUIRE(::fcntl(reply_read.get(), F_SETFL, 0) == 0);
    CHECK(::read(reply_read.get(), &byte, 1) == 1);
    CHECK(!cgroup.frozen().value());
}

TEST_CASE("freezing an empty cgroup works, a removed one does not") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    CHECK(cgroup.freeze(std::chrono::seconds(30)));
    CHECK(cgroup.thaw());
    REQUIRE(remove_cgroup(*host, tree.path("g"), std::chrono::seconds(10)));
    CHECK(!cgroup.freeze(std::chrono::seconds(1)));
    CHECK(!cgroup.frozen().value());
    CHECK(!cgroup.populated().value());
}
