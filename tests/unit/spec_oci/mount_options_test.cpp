#include "runtime/spec/oci/mount_options.hpp"

#include <algorithm>

#include <linux/mount.h>
#include <sys/mount.h>

#include "tests/unit/spec_oci/support.hpp"

using namespace warren::spec::oci;
using Words = std::vector<std::string>;

namespace {

MountOptions options_of(const Words& words) {
    return parse_mount_options(words).value();
}

std::string refused(const Words& words) {
    const auto options = parse_mount_options(words);
    return options ? "options_of" : options.error().place();
}

struct Attribute {
    const char* word;
    std::uint64_t set;
    std::uint64_t clear;
};

constexpr std::uint64_t kTimes = MOUNT_ATTR__ATIME;

const Attribute kAttributes[] = {
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"noatime", MOUNT_ATTR_NOATIME, kTimes},
    {"atime", 0, kTimes},
    {"strictatime", MOUNT_ATTR_STRICTATIME, kTimes},
    {"nostrictatime", 0, kTimes},
    {"relatime", 0, kTimes},
    {"norelatime", 0, 0},
};

}  // namespace

TEST_CASE("a word on an attribute, and with an r the same of all mounts below") {
    for (const auto& attribute : kAttributes) {
        CAPTURE(attribute.word);
        const AttributeChange change{attribute.set, attribute.clear};
        MountOptions alone;
        alone.attributes = change;
        CHECK(options_of({attribute.word}) == alone);
        MountOptions recursive;
        recursive.recursive = change;
        CHECK(options_of({"r" + std::string(attribute.word)}) == recursive);
    }
}

TEST_CASE("of two words on one attribute the later wins") {
    const auto change = [](const Words& words) { return options_of(words).attributes; };
    CHECK(change({"ro", "rw"}) == AttributeChange{0, MOUNT_ATTR_RDONLY});
    CHECK(change({"rw", "ro"}) == AttributeChange{MOUNT_ATTR_RDONLY, 0});
    CHECK(change({"suid", "nosuid", "nodev"}) ==
          AttributeChange{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0});
    CHECK(change({"noatime", "strictatime"}) == AttributeChange{MOUNT_ATTR_STRICTATIME, kTimes});
    CHECK(change({"noatime", "relatime"}) == AttributeChange{0, kTimes});
    CHECK(change({"noatime", "atime"}) == AttributeChange{0, kTimes});
    CHECK(change({"strictatime", "atime"}) == AttributeChange{MOUNT_ATTR_STRICTATIME, kTimes});
    CHECK(change({"noatime", "nostrictatime"}) == AttributeChange{MOUNT_ATTR_NOATIME, kTimes});
    CHECK(change({"noatime", "norelatime"}) == AttributeChange{MOUNT_ATTR_NOATIME, kTimes});
    CHECK(options_of({"ro", "rrw"}).attributes == AttributeChange{MOUNT_ATTR_RDONLY, 0});
}

TEST_CASE("kinds of mounts and their flags") {
    CHECK(options_of({}) == MountOptions{});
    CHECK(options_of({"defaults", "loud", "silent", "noiversion"}) == MountOptions{});
    const auto bind = options_of({"bind"});
    CHECK(bind.bind);
    CHECK_FALSE(bind.recursive_bind);
    const auto rbind = options_of({"rbind"});
    CHECK(rbind.bind);
    CHECK(rbind.recursive_bind);
    CHECK(options_of({"remount"}).remount);
    CHECK(options_of({"tmpcopyup"}).tmpcopyup);
    CHECK(options_of({"copy-symlink"}).copy_symlink);
    CHECK(options_of({"dest-nofollow"}).dest_nofollow);
    CHECK(options_of({"src-nofollow"}).src_nofollow);
}

TEST_CASE("propagation stays in its order") {
    const auto options = options_of({"rslave", "shared"});
    CHECK(options.propagation == std::vector<Propagation>{{PropagationKind::Slave, true},
                                                          {PropagationKind::Shared, false}});

    struct Known {
        const char* word;
        std::uint64_t flag;
    };

    for (const Known& known : {Known{"private", MS_PRIVATE},
                               {"shared", MS_SHARED},
                               {"slave", MS_SLAVE},
                               {"unbindable", MS_UNBINDABLE}}) {
        CAPTURE(known.word);
        const auto alone = parse_propagation(known.word);
        REQUIRE(alone);
        CHECK(alone->ms_flag() == known.flag);
        CHECK_FALSE(alone->recursive);
        CHECK(propagation_word(*alone) == known.word);
        const auto all = parse_propagation("r" + std::string(known.word));
        REQUIRE(all);
        CHECK(all->ms_flag() == known.flag);
        CHECK(all->recursive);
        CHECK(propagation_word(*all) == "r" + std::string(known.word));
    }
    CHECK_FALSE(parse_propagation("privat"));
    CHECK_FALSE(parse_propagation(""));
}

TEST_CASE("maps of ids") {
    CHECK(options_of({"idmap"}).id_map == MountIdMap::One);
    CHECK(options_of({"ridmap"}).id_map == MountIdMap::Recursive);
    const auto options = options_of({"idmap=uids=0-1-10#@10-11-10;gids=0-100-10"});
    CHECK(options.id_map == MountIdMap::One);
    CHECK(options.uids == std::vector<MountIdRange>{{{0, 1, 10}, false}, {{10, 11, 10}, true}});
    CHECK(options.gids == std::vector<MountIdRange>{{{0, 100, 10}, false}});
    CHECK(options_of({"ridmap=gids=0-0-4294967294;uids=4294967294-0-1"}).id_map ==
          MountIdMap::Recursive);
    for (const char* word : {"idmap=",
                             "idmap=x",
                             "idmap=uids=0-0-1",
                             "idmap=uids=0-0;gids=0-0-1",
                             "idmap=uids=0-0-1-1;gids=0-0-1",
                             "idmap=uids=0-0-0;gids=0-0-1",
                             "idmap=uids=-1-0-1;gids=0-0-1",
                             "idmap=uids=4294967295-0-1;gids=0-0-1",
                             "idmap=uids=4294967294-0-2;gids=0-0-1",
                             "idmap=uids=0-0-1##;gids=0-0-1",
                             "idmap=uids=0-0-1;uids=1-1-1;gids=0-0-1",
                             "idmap=uids=@@0-0-1;gids=0-0-1",
                             "idmap=uids=;gids=",
                             "idmap=uids=a-0-1;gids=0-0-1"}) {
        CAPTURE(word);
        CHECK(refused({"ro", word}) == "/1");
    }
}

TEST_CASE("of the superblock's opposites the later stays") {
    CHECK(options_of({"sync", "lazytime", "async"}).superblock == Words{"lazytime", "async"});
    CHECK(options_of({"nolazytime", "dirsync", "mand", "nomand", "iversion"}).superblock ==
          Words{"nolazytime", "dirsync", "nomand", "iversion"});
}

TEST_CASE("unknown words are the file system's") {
    const auto options =
        options_of({"size=65536k", "newinstance", "context=", "mode=0620=x", "rsync"});
    using Data = decltype(options.data);
    CHECK(options.data == Data{{"size", "65536k"},
                               {"newinstance", std::nullopt},
                               {"context", ""},
                               {"mode", "0620=x"},
                               {"rsync", std::nullopt}});
    CHECK(options == [&options] {
        MountOptions only;
        only.data = options.data;
        return only;
    }());
}

TEST_CASE("words that nothing can take are refused, with their index") {
    CHECK(refused({"ro", ""}) == "/1");
    CHECK(refused({"=x"}) == "/0");
    CHECK(refused({"a\nb"}) == "/0");
    CHECK(refused({std::string("a\0b", 3)}) == "/0");
    CHECK(refused({std::string(4096, 'a')}) == "/0");
    CHECK(refused({std::string(4095, 'a')}) == "options_of");
}

TEST_CASE("the list of known words is sorted and is what is not handed to the file system") {
    const auto words = mount_option_words();
    CHECK(std::is_sorted(words.begin(), words.end()));
    CHECK(std::adjacent_find(words.begin(), words.end()) == words.end());
    for (const auto& word : words) {
        CAPTURE(word);
        CHECK(options_of({word}).data.empty());
    }
    // config.md "Linux mount options", and what crun knows besides.
    for (const char* word :
         {"async",          "atime",        "bind",          "defaults",     "dev",
          "diratime",       "dirsync",      "exec",          "iversion",     "lazytime",
          "loud",           "mand",         "noatime",       "nodev",        "nodiratime",
          "noexec",         "noiversion",   "nolazytime",    "nomand",       "norelatime",
          "nostrictatime",  "nosuid",       "nosymfollow",   "private",      "ratime",
          "rbind",          "rdev",         "rdiratime",     "relatime",     "remount",
          "rexec",          "rnoatime",     "rnodiratime",   "rnoexec",      "rnorelatime",
          "rnostrictatime", "rnosuid",      "rnosymfollow",  "ro",           "rprivate",
          "rrelatime",      "rro",          "rrw",           "rshared",      "rslave",
          "rstrictatime",   "rsuid",        "rsymfollow",    "runbindable",  "rw",
          "shared",         "silent",       "slave",         "strictatime",  "suid",
          "symfollow",      "sync",         "tmpcopyup",     "unbindable",   "idmap",
          "ridmap",         "copy-symlink", "dest-nofollow", "src-nofollow", "rnodev"}) {
        CAPTURE(word);
        CHECK(std::binary_search(words.begin(), words.end(), word));
    }
}
