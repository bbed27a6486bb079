#include "runtime/engine/guest_users.hpp"

#include <doctest/doctest.h>

namespace warren::engine {

namespace {

constexpr const char* kPasswd =
    "root:x:0:0:root:/root:/bin/bash\n"
    "broken line\n"
    "toobig:x:70000:70000::/:/bin/sh\n"
    "web:x:33:33:web:/var/www:/usr/sbin/nologin\n"
    "odd:x:34:34::relative/home:bin/sh\n";
constexpr const char* kGroup =
    "root:x:0:\nadm:x:4:web,root\ntape:x:26:web\nweb:x:33:\nhuge:x:99999:web\n";

}  // namespace

TEST_CASE("users by name and by number") {
    const auto root = resolve_user("", kPasswd, kGroup).value();
    CHECK(root.uid == 0);
    CHECK(root.home == "/root");
    CHECK(root.shell == "/bin/bash");

    const auto web = resolve_user("web", kPasswd, kGroup).value();
    CHECK(web.uid == 33);
    CHECK(web.gid == 33);
    CHECK(web.groups == std::vector<std::uint32_t>{4, 26});
    CHECK(resolve_user("33", kPasswd, kGroup).value().home == "/var/www");
}

TEST_CASE("a group given replaces the user's own") {
    const auto user = resolve_user("web:adm", kPasswd, kGroup).value();
    CHECK(user.gid == 4);
    CHECK(user.groups.empty());
    CHECK(resolve_user("0:77", kPasswd, kGroup).value().gid == 77);
}

TEST_CASE("a number without an entry is a user of its own") {
    const auto user = resolve_user("1234", kPasswd, kGroup).value();
    CHECK(user.uid == 1234);
    CHECK(user.gid == 0);
    CHECK(user.home == "/");
    CHECK(resolve_user("", "", "").value().home == "/root");
}

TEST_CASE("what cannot be is refused by name") {
    CHECK(resolve_user("nobody-here", kPasswd, kGroup).error().kind() == base::ErrorKind::Usage);
    CHECK(resolve_user("toobig", kPasswd, kGroup).error().describe().find("toobig") !=
          std::string::npos);
    CHECK_FALSE(resolve_user("70000", kPasswd, kGroup));
    CHECK_FALSE(resolve_user("root:nogroup", kPasswd, kGroup));
    CHECK_FALSE(resolve_user("root:huge", kPasswd, kGroup));
}

TEST_CASE("relative homes and shells of a hostile passwd are not used") {
    const auto odd = resolve_user("odd", kPasswd, kGroup).value();
    CHECK(odd.home == "/");
    CHECK(odd.shell == "/bin/sh");
}

}  // namespace warren::engine
