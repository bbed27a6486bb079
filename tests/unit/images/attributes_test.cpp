#include <sys/xattr.h>

#include "images/acl.hpp"
#include "images/metadata.hpp"
#include "support.hpp"

using namespace warren;
using namespace warren::images;
using namespace warren::images::test;

namespace {

std::string xattr_of(const fs::path& path, const char* name) {
    std::string value(4096, '\0');
    const ssize_t size = ::lgetxattr(path.c_str(), name, value.data(), value.size());
    return size < 0 ? "none" : value.substr(0, static_cast<std::size_t>(size));
}

// cap_net_raw=ep as revision 2, and as revision 3 with a root id.
const std::string kCapability2("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);

std::string capability3(unsigned char root_id) {
    std::string value = kCapability2 + std::string(4, '\0');
    value[3] = 3;
    value[20] = static_cast<char>(root_id);
    return value;
}

}  // namespace

TEST_CASE("user attributes come along, those of the host's security modules do not") {
    Store store;
    Tar tar;
    tar.add({.name = "f",
             .content = "x",
             .pax = {{"SCHILY.xattr.user.comment", "hello"},
                     {"SCHILY.xattr.security.selinux", "label"},
                     {"SCHILY.xattr.btrfs.compression", "zstd"}}});
    tar.add({.name = "d", .type = '5', .mode = 0755, .pax = {{"SCHILY.xattr.user.empty", ""}}});
    const auto info = store.import("x", tar.bytes());
    REQUIRE_MESSAGE(info.has_value(), info.error().describe());
    CHECK(xattr_of(store.root("x") / "f", "user.comment") == "hello");
    CHECK(xattr_of(store.root("x") / "f", "security.selinux") == "none");
    CHECK(xattr_of(store.root("x") / "d", "user.empty").empty());
    CHECK(store->verify({}, {}).value().empty());
}

TEST_CASE("file capabilities survive with owner and setuid bit") {
    NEEDS_ROOT();
    Store store;
    Tar tar;
    tar.add({.name = "ping",
             .content = "p",
             .mode = 04755,
             .uid = 5,
             .pax = {{"SCHILY.xattr.security.capability", kCapability2}}});
    tar.add({.name = "three",
             .content = "3",
             .pax = {{"SCHILY.xattr.security.capability", capability3(0)}}});
    tar.add({.name = "other",
             .content = "o",
             .pax = {{"SCHILY.xattr.security.capability", capability3(9)}}});
    const auto info = store.import("caps", tar.bytes());
    REQUIRE_MESSAGE(info.has_value(), info.error().describe());
    CHECK(xattr_of(store.root("caps") / "ping", "security.capability") == kCapability2);
    CHECK((look(store.root("caps") / "ping").st_mode & 07777) == 04755);
    CHECK(look(store.root("caps") / "ping").st_uid == 5);
    // Root id 0 is what revision 2 says.
    CHECK(xattr_of(store.root("caps") / "three", "security.capability") == kCapability2);
    CHECK(xattr_of(store.root("caps") / "other", "security.capability") == capability3(9));
    CHECK(store->verify({}, {}).value().empty());
}

TEST_CASE("access and default ACLs are kept, and nothing inherits while the tree is made") {
    Store store;
    const std::string access = "user::rw-,user:7:rw-:7,group::r--,mask::rw-,other::---";
    const std::string fallback = "user::rwx,group::r-x,group:8:rwx:8,mask::rwx,other::---";
    Tar tar;
    tar.add({.name = "f", .content = "x", .mode = 0660, .pax = {{"SCHILY.acl.access", access}}});
    tar.add({.name = "d", .type = '5', .mode = 0755, .pax = {{"SCHILY.acl.default", fallback}}});
    tar.add({.name = "d/plain", .content = "y", .mode = 0644});
    tar.add({.name = "d/sub", .type = '5', .mode = 0755});
    tar.add({.name = "minimal",
             .content = "z",
             .mode = 0640,
             .pax = {{"SCHILY.acl.access", "user::rw-,group::r--,other::---"}}});
    const auto info = store.import("acl", tar.bytes());
    REQUIRE_MESSAGE(info.has_value(), info.error().describe());
    const fs::path root = store.root("acl");
    const Acl wanted = Acl::make({{AclTag::UserObj, 6, 0},
                                  {AclTag::User, 6, 7},
                                  {AclTag::GroupObj, 4, 0},
                                  {AclTag::Mask, 6, 0},
                                  {AclTag::Other, 0, 0}})
                           .value();
    CHECK(xattr_of(root / "f", "system.posix_acl_access") == wanted.to_xattr());
    CHECK((look(root / "f").st_mode & 07777) == 0660);
    const Acl wanted_default = Acl::make({{AclTag::UserObj, 7, 0},
                                          {AclTag::GroupObj, 5, 0},
                                          {AclTag::Group, 7, 8},
                                          {AclTag::Mask, 7, 0},
                                          {AclTag::Other, 0, 0}})
                                   .value();
    CHECK(xattr_of(root / "d", "system.posix_acl_default") == wanted_default.to_xattr());
    CHECK(xattr_of(root / "d/plain", "system.posix_acl_access") == "none");
    CHECK(xattr_of(root / "d/sub", "system.posix_acl_default") == "none");
    CHECK((look(root / "d/plain").st_mode & 07777) == 0644);
    CHECK(look(root / "d").st_mtime == 1'600'000'000);
    CHECK(xattr_of(root / "minimal", "system.posix_acl_access") == "none");
    CHECK(store->verify({}, {}).value().empty());
}

TEST_CASE("an ACL is read back as it was made, and broken ones are refused") {
    const Acl acl = Acl::make({{AclTag::Other, 1, 0},
                               {AclTag::Group, 7, 5},
                               {AclTag::Mask, 5, 0},
                               {AclTag::User, 4, 9},
                               {AclTag::UserObj, 7, 0},
                               {AclTag::GroupObj, 0, 0}})
                        .value();
    CHECK(acl.permission_bits() == 0751);
    CHECK(!acl.is_minimal());
    CHECK(Acl::parse(acl.to_xattr()).value().to_xattr() == acl.to_xattr());
    const Acl minimal =
        Acl::make({{AclTag::UserObj, 6, 0}, {AclTag::GroupObj, 4, 0}, {AclTag::Other, 0, 0}})
            .value();
    CHECK(minimal.is_minimal());
    CHECK(minimal.permission_bits() == 0640);
    CHECK(!Acl::make({}));
    CHECK(!Acl::make({{AclTag::UserObj, 6, 0}, {AclTag::GroupObj, 4, 0}}));
    CHECK(!Acl::make({{AclTag::UserObj, 6, 0}, {AclTag::GroupObj, 4, 0}, {AclTag::Other, 8, 0}}));
    CHECK(!Acl::make({{AclTag::UserObj, 6, 0},
                      {AclTag::User, 6, 3},
                      {AclTag::GroupObj, 4, 0},
                      {AclTag::Other, 0, 0}}));
    CHECK(!Acl::make({{AclTag::UserObj, 6, 0},
                      {AclTag::User, 6, 65536},
                      {AclTag::GroupObj, 4, 0},
                      {AclTag::Mask, 7, 0},
                      {AclTag::Other, 0, 0}}));
    CHECK(!Acl::parse(""));
    CHECK(!Acl::parse("\x02"));
    CHECK(!Acl::parse(std::string("\x02\0\0\0\x03\0\x07\0\0\0\0\0", 12)));
    std::string cut = acl.to_xattr();
    cut.pop_back();
    CHECK(!Acl::parse(cut));
}

TEST_CASE("metadata is brought to one form") {
    Metadata meta{.mode = 0100644,
                  .mtime = {1LL << 40, 5},
                  .xattrs = {{"user.b", "2"}, {"user.a", "1"}, {"security.ima", "x"}}};
    REQUIRE(normalise(meta, false).has_value());
    CHECK(meta.mode == 0644);
    CHECK(meta.mtime.tv_sec == (1LL << 32) - 1);
    CHECK(meta.xattrs == std::vector<Xattr>{{"user.a", "1"}, {"user.b", "2"}});
    Metadata twice{.xattrs = {{"user.a", "1"}, {"user.a", "2"}}};
    CHECK(!normalise(twice, false));
    Metadata early{.mtime = {-(1LL << 40), -1}};
    REQUIRE(normalise(early, false).has_value());
    CHECK(early.mtime.tv_sec == -(1LL << 31));
    CHECK(early.mtime.tv_nsec == 0);
    const Acl acl =
        Acl::make({{AclTag::UserObj, 6, 0}, {AclTag::GroupObj, 4, 0}, {AclTag::Other, 0, 0}})
            .value();
    Metadata on_file{.xattrs = {{"system.posix_acl_default", acl.to_xattr()}}};
    CHECK(!normalise(on_file, false));
    Metadata root_id{.xattrs = {{"security.capability", capability3(0)}}};
    root_id.xattrs[0].value[22] = 1;
    CHECK(!normalise(root_id, false));
}
