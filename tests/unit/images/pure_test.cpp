#include <nlohmann/json.hpp>

#include "images/distribution.hpp"
#include "images/guest_files.hpp"
#include "images/host_apt.hpp"
#include "images/image_info.hpp"
#include "images/inspect_tree.hpp"
#include "images/mirrors.hpp"
#include "images/program.hpp"
#include "images/tree_path.hpp"
#include "support.hpp"

using namespace warren;
using namespace warren::images;
using namespace warren::images::test;

namespace {

using Words = std::vector<std::string>;

bool has(const Words& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

TreeFacts facts_of(const TempDir& dir) {
    return inspect_tree(dir.fd());
}

void make_program(const fs::path& path, unsigned char machine = 62) {
    std::string elf(
        "\x7f"
        "ELF\x02\x01\x01",
        7);
    elf.resize(64);
    elf[18] = static_cast<char>(machine);
    write_file(path, elf);
    fs::permissions(path, fs::perms(0755));
}

}  // namespace

TEST_CASE("paths of archives are taken apart") {
    const auto split = [](const std::string& path) { return split_path(path, {}); };
    CHECK(split("usr/bin/su").value() == Words{"usr", "bin", "su"});
    CHECK(split("//usr//./bin/su/").value() == Words{"usr", "bin", "su"});
    CHECK(split("").value().empty());
    CHECK(split("./").value().empty());
    CHECK(split("...").value() == Words{"..."});
    CHECK(split("a..b/..c").value() == Words{"a..b", "..c"});
    for (const char* bad : {"..", "../a", "a/..", "a/../b", "/../a"}) {
        CAPTURE(bad);
        CHECK(contains(split(bad).error().what(), ".."));
    }
    CHECK(split(std::string(255, 'x')).has_value());
    CHECK(!split(std::string(256, 'x')));
    std::string deep;
    for (int i = 0; i < 256; ++i) {
        deep += "d/";
    }
    CHECK(split(deep).has_value());
    CHECK(!split(deep + "d"));
    std::string path = std::string(255, 'x');
    while (path.size() + 256 <= 4095) {
        path += "/" + std::string(255, 'x');
    }
    CHECK(split(path).has_value());
    CHECK(!split(path + "/" + std::string(255, 'x')));
}

TEST_CASE("an image's description is read back as it was written") {
    ImageInfo info{.name = image_name("debian:12")};
    info.created = "2026-01-02T03:04:05.000006Z";
    info.source = "build debian:12";
    info.os_id = "debian";
    info.os_version = "12";
    info.architecture = "amd64";
    info.init = InitSystem::Runit;
    info.init_path = "/sbin/init";
    info.entries = 1;
    info.files = 2;
    info.bytes = 1ULL << 60U;
    info.shared_bytes = 4;
    const auto read = parse_image_file(dump_image_file(info), info.name);
    REQUIRE_MESSAGE(read.has_value(), read.error().describe());
    CHECK(to_json(read.value()) == to_json(info));
    CHECK(!parse_image_file(dump_image_file(info), image_name("other")));
    for (const InitSystem init : {InitSystem::None,
                                  InitSystem::Systemd,
                                  InitSystem::Sysvinit,
                                  InitSystem::Openrc,
                                  InitSystem::Runit,
                                  InitSystem::Busybox,
                                  InitSystem::Unknown}) {
        CHECK(parse_init_system(name(init)).value() == init);
    }
    CHECK(parse_init_system("upstart").error().kind() == base::ErrorKind::Usage);
}

TEST_CASE("os-release values") {
    const std::string text =
        "NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_ID='12'\nVERSION_IDX=3\nEMPTY=\nODD=\"";
    CHECK(os_release_value(text, "NAME") == "Debian GNU/Linux");
    CHECK(os_release_value(text, "ID") == "debian");
    CHECK(os_release_value(text, "VERSION_ID") == "12");
    CHECK(os_release_value(text, "EMPTY").empty());
    CHECK(os_release_value(text, "ODD") == "\"");
    CHECK(os_release_value(text, "MISSING").empty());
}

TEST_CASE("each init system is known by its files") {
    const TempDir dir;
    const fs::path& root = dir.path();
    CHECK(facts_of(dir).init == InitSystem::None);
    CHECK(facts_of(dir).init_path.empty());
    fs::create_directories(root / "sbin");
    make_program(root / "lib/systemd/systemd");
    fs::create_symlink("/lib/systemd/systemd", root / "sbin/init");
    CHECK(facts_of(dir).init == InitSystem::Systemd);
    CHECK(facts_of(dir).init_path == "/sbin/init");
    CHECK(facts_of(dir).architecture == "amd64");
    const auto relink = [&](const char* target) {
        fs::remove(root / "sbin/init");
        fs::create_symlink(target, root / "sbin/init");
    };
    make_program(root / "bin/busybox", 183);
    relink("../bin/busybox");
    CHECK(facts_of(dir).init == InitSystem::Busybox);
    CHECK(facts_of(dir).architecture == "arm64");
    make_program(root / "sbin/runit-init");
    relink("runit-init");
    CHECK(facts_of(dir).init == InitSystem::Runit);
    make_program(root / "sbin/something");
    relink("something");
    CHECK(facts_of(dir).init == InitSystem::Unknown);
    fs::remove(root / "sbin/init");
    make_program(root / "sbin/init");
    CHECK(facts_of(dir).init == InitSystem::Unknown);
    write_file(root / "etc/inittab", "");
    CHECK(facts_of(dir).init == InitSystem::Sysvinit);
    write_file(root / "sbin/openrc", "");
    CHECK(facts_of(dir).init == InitSystem::Openrc);
    fs::permissions(root / "sbin/init", fs::perms(0644));
    CHECK(facts_of(dir).init == InitSystem::None);
}

TEST_CASE("what a hostile tree says about itself is not followed out and stays short") {
    const TempDir dir;
    const TempDir outside;
    make_program(outside.path() / "systemd");
    write_file(outside.path() / "os-release", "ID=outside\n");
    fs::create_directories(dir.path() / "sbin");
    fs::create_symlink((outside.path() / "systemd").string(), dir.path() / "sbin/init");
    write_file(dir.path() / "etc/x", "");
    fs::create_symlink("../../../../../.." + (outside.path() / "os-release").string(),
                       dir.path() / "etc/os-release");
    CHECK(facts_of(dir).init == InitSystem::None);
    CHECK(facts_of(dir).os_id.empty());
    fs::remove(dir.path() / "etc/os-release");
    REQUIRE(::mkfifo((dir.path() / "etc/os-release").c_str(), 0644) == 0);
    CHECK(facts_of(dir).os_id.empty());
    fs::remove(dir.path() / "etc/os-release");
    write_file(dir.path() / "etc/os-release", "ID=a\x1b[31m" + std::string(500, 'x') + "\n");
    CHECK(facts_of(dir).os_id.starts_with("a\\x1b[31m"));
    CHECK(facts_of(dir).os_id.size() < 100);
}

TEST_CASE("templates, their packages and sources") {
    for (const std::string& name : known_templates()) {
        CHECK(find_template(name).value().name == name);
    }
    CHECK(contains(find_template("debian:9").error().what(), "debian:12"));
    CHECK(find_template("debian:9").error().kind() == base::ErrorKind::Usage);
    const Template debian = find_template("debian:12").value();
    const Template ubuntu = find_template("ubuntu:24.04").value();
    CHECK(debian.suite == "bookworm");
    CHECK(ubuntu.suite == "noble");
    CHECK(has(machine_packages(debian, InitSystem::Systemd).value(), "systemd-sysv"));
    CHECK(has(machine_packages(debian, InitSystem::Runit).value(), "runit-init"));
    CHECK(!has(machine_packages(debian, InitSystem::Sysvinit).value(), "systemd"));
    CHECK(!machine_packages(debian, InitSystem::Busybox));
    CHECK(!machine_packages(ubuntu, InitSystem::Openrc));
    const auto lines = source_lines(debian, {"http://a/debian", "http://s/sec"}, "/k.gpg");
    CHECK(lines == Words{"deb [signed-by=/k.gpg] http://a/debian bookworm main",
                         "deb [signed-by=/k.gpg] http://a/debian bookworm-updates main",
                         "deb [signed-by=/k.gpg] http://s/sec bookworm-security main"});
    CHECK(source_lines(ubuntu, {"http://a", "http://s"}, "")[0] ==
          "deb http://a noble main universe");
    const auto arguments = mmdebstrap_arguments(debian, {"a", "b"}, lines);
    CHECK(has(arguments, "--include=a,b"));
    CHECK(arguments.front() == "mmdebstrap");
    const std::string hook = "--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr";
    CHECK(has(arguments, hook));
    CHECK(!has(mmdebstrap_arguments(ubuntu, {"a"}, lines), hook));
    CHECK(arguments.back() == lines.back());
}

TEST_CASE("package names that would be options or shell are refused") {
    for (const char* good : {"openssh-server", "g++", "libc6:i386", "python3.11", "vim=2:9.0"}) {
        CHECK(check_package_name(good).has_value());
    }
    for (const char* bad :
         {"", "a", "-o", "--setup-hook=x", "a b", "a,b", "A", "a;b", "a/b", "../x", "a\n"}) {
        CAPTURE(bad);
        CHECK(!check_package_name(bad));
    }
}

TEST_CASE("a build leaves identities, logs and caches behind") {
    for (const char* path : {"./etc/machine-id",
                             "etc/hostname",
                             "./etc/ssh/ssh_host_rsa_key",
                             "./var/lib/apt/lists/x",
                             "./dev/null",
                             "./etc/apt/sources.list",
                             "./var/log/dpkg.log",
                             "./tmp/x",
                             "/etc/passwd-",
                             "./etc/dpkg/dpkg.cfg.d/99mmdebstrap"}) {
        CAPTURE(path);
        CHECK(is_left_out(path, EntryType::File));
    }
    for (const char* path : {"./",
                             "./dev/",
                             "./tmp",
                             "./etc/passwd",
                             "./var/log/",
                             "./var/lib/apt/lists",
                             "./usr/lib/apt/apt-helper",
                             "./etc/ssh/sshd_config"}) {
        CAPTURE(path);
        CHECK(!is_left_out(path, EntryType::Directory));
    }
    CHECK(!is_left_out("./var/log/journal", EntryType::Directory));
    for (const char* path : {"./etc/rcS.d/S01hwclock.sh",
                             "./etc/rc0.d/K01hwclock.sh",
                             "etc/rc2.d/S01bootlogs",
                             "etc/runlevels/sysinit/cgroups",
                             "etc/runit/runsvdir/default/getty-tty1"}) {
        CAPTURE(path);
        CHECK(is_left_out(path, EntryType::Symlink));
    }
    for (const char* path : {"./etc/init.d/hwclock.sh",
                             "./etc/rcS.d/S12bootmisc.sh",
                             "./etc/rc0.d/K04sendsigs",
                             "etc/runlevels/sysinit/hostname.sh",
                             "etc/runit/runsvdir/default/default-syslog",
                             "etc/rc.local"}) {
        CAPTURE(path);
        CHECK(!is_left_out(path, EntryType::Symlink));
    }
    // What is left out for being replaced is there again.
    const auto files = guest_files(InitSystem::Systemd, {"deb x"});
    const auto find = [&](const std::string& path) {
        return std::find_if(
            files.begin(), files.end(), [&](const GuestFile& f) { return f.entry.path == path; });
    };
    REQUIRE(find("etc/machine-id") != files.end());
    CHECK(find("etc/machine-id")->content.empty());
    CHECK(find("etc/apt/sources.list")->content == "deb x\n");
    CHECK(find("etc/hosts") != files.end());
    for (const auto& file : guest_files(InitSystem::Sysvinit, {})) {
        CHECK(file.entry.path != "etc/machine-id");
        CHECK(file.content.find("getty") == std::string::npos);
    }
}

TEST_CASE("the host's mirrors are found among its index targets") {
    const std::string text =
        "Debian-Security http://m/debian-security/\nDebian http://m/debian/\nDebian "
        "http://other/debian/\n"
        "Third https://t/x/\nbroken\n";
    const Mirrors debian = parse_index_targets(text, Family::Debian);
    CHECK(debian.archive == "http://m/debian");
    CHECK(debian.security == "http://m/debian-security");
    CHECK(parse_index_targets(text, Family::Ubuntu).archive.empty());
    CHECK(parse_index_targets("", Family::Debian).archive.empty());
}

TEST_CASE("python-apt's lists name mirrors") {
    const std::string text =
        "# a comment: of no use\n"
        "ChangelogURI: http://c/x\n"
        "\n"
        "Suite: devel\nRepositoryType: deb\nBaseURI: http://devel/\n"
        "\n"
        "Suite: {series}\nRepositoryType: deb\nMatchName: .*\nBaseURI: cdrom:\\[x\n"
        "\n"
        "Suite: {series} \nOfficial: false\nRepositoryType: deb\nBaseURI: http://extras\n"
        "\n"
        "Suite: {series}\nRepositoryType: deb-src\nBaseURI: http://source/\n"
        "\n"
        "Suite: {series}\nRepositoryType: deb\nBaseURI: http://ports/x/\n"
        "BaseURI-amd64: http://archive/x\nComponent: main\n"
        "\n"
        "Suite: {series}-security\nRepositoryType: deb\nBaseURI: http://ports/x/\n"
        "BaseURI-amd64: http://security/x/\n"
        "\n"
        "Suite: {series}\nRepositoryType: deb\nBaseURI: http://second/\n";
    const Mirrors amd64 = parse_mirror_list(text, "amd64");
    CHECK(amd64.archive == "http://archive/x");
    CHECK(amd64.security == "http://security/x");
    CHECK(parse_mirror_list(text, "arm64").security == "http://ports/x");
    CHECK(parse_mirror_list("", "amd64").archive.empty());
    CHECK(parse_mirror_list("Suite: {series}\nBaseURI", "amd64").archive.empty());
}

TEST_CASE("mirrors are complete and addresses, or the error says what to do") {
    const auto ubuntu = check_mirrors(Family::Ubuntu, {"http://a/ubuntu", ""});
    CHECK(ubuntu.value().security == "http://a/ubuntu");
    const auto none = check_mirrors(Family::Ubuntu, {});
    CHECK(none.error().kind() == base::ErrorKind::Unsupported);
    CHECK(contains(none.error().what(), "WARREN_UBUNTU_MIRROR"));
    CHECK(contains(none.error().what(), "python-apt-common"));
    CHECK(contains(check_mirrors(Family::Debian, {"http://a", ""}).error().what(),
                   "WARREN_DEBIAN_SECURITY_MIRROR"));
    CHECK(check_mirrors(Family::Debian, {"file:/srv/debian", "http://s"}).has_value());
    for (const char* bad :
         {"mirror", "http://a b", "http://a/\ndeb http://evil x", "[x=y] http://a"}) {
        CAPTURE(bad);
        const auto refused = check_mirrors(Family::Debian, {bad, "http://s"});
        REQUIRE(!refused);
        CHECK(refused.error().kind() == base::ErrorKind::Usage);
    }
}

TEST_CASE("what stands in an image has no passwords") {
    const Mirrors clean = public_mirrors({"https://me:secret@a/debian", "http://s:8080/x@y"});
    CHECK(clean.archive == "https://a/debian");
    CHECK(clean.security == "http://s:8080/x@y");
    CHECK(public_mirrors({"file:/a@b", ""}).archive == "file:/a@b");
}

TEST_CASE("the administrator's mirror comes first") {
    for (const char* name : {"WARREN_UBUNTU_MIRROR", "WARREN_UBUNTU_SECURITY_MIRROR"}) {
        REQUIRE(unsetenv(name) == 0);
    }
    REQUIRE(setenv("WARREN_UBUNTU_MIRROR", "http://mine/ubuntu/", 1) == 0);
    const auto mirrors = choose_mirrors(Family::Ubuntu, "amd64");
    REQUIRE(unsetenv("WARREN_UBUNTU_MIRROR") == 0);
    REQUIRE_MESSAGE(mirrors.has_value(), mirrors.error().describe());
    CHECK(mirrors.value().archive == "http://mine/ubuntu");
}

TEST_CASE("the last lines of a log") {
    CHECK(last_lines("a\nb\n\n c\n", 2) == "b;  c");
    CHECK(last_lines("only", 5) == "only");
    CHECK(last_lines("", 5).empty());
    CHECK(last_lines("a\x1b\n", 1) == "a\\x1b");
}

TEST_CASE("programs: output, failure with its words, absence") {
    NEEDS_ROOT();
    CHECK(run_program({.arguments = {"echo", "a b", "$HOME"}}).value() == "a b $HOME\n");
    const auto failed =
        run_program({.arguments = {"sh", "-c", "echo one >&2; echo two >&2; exit 3"}});
    CHECK(failed.error().what() == "sh exited with 3: one; two");
    const auto absent = run_program({.arguments = {"warren-no-such-program"}, .package = "pkg"});
    CHECK(absent.error().kind() == base::ErrorKind::Unsupported);
    CHECK(contains(absent.error().what(), "apt-get install pkg"));
    const TempDir scratch;
    CHECK(run_program({.arguments = {"sh", "-c", "echo x >$TMPDIR/f; mount -t tmpfs t /mnt"},
                       .scratch = scratch.fd()})
              .has_value());
    CHECK(read_file(scratch.path() / "f") == "x\n");
    CHECK(!contains(read_file("/proc/self/mounts"), "t /mnt "));
}
