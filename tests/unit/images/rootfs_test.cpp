#include "images/rootfs.hpp"

#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <elf.h>

#include "base/scope_exit.hpp"
#include "images/creator_credentials.hpp"
#include "support.hpp"

using namespace warren;
using namespace warren::images;
using namespace warren::images::test;

namespace {

constexpr std::uint32_t kBase = 1'000'000;

base::Fd make_userns() {
    int ready[2];
    int go[2];
    REQUIRE(::pipe2(ready, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(go, O_CLOEXEC) == 0);
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    char byte = 0;
    if (pid == 0) {
        ::close(go[1]);
        byte = ::unshare(CLONE_NEWUSER) == 0 ? 'y' : 'n';
        (void)!::write(ready[1], &byte, 1);
        (void)!::read(go[0], &byte, 1);
        ::_exit(0);
    }
    const base::ScopeExit done([&] {
        for (const int fd : {ready[0], ready[1], go[0], go[1]}) {
            ::close(fd);
        }
        ::waitpid(pid, nullptr, 0);
    });
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    REQUIRE(byte == 'y');
    const std::string proc = "/proc/" + std::to_string(pid) + "/";
    const std::string map = "0 " + std::to_string(kBase) + " 65536";
    REQUIRE(base::write_knob_at(AT_FDCWD, proc + "uid_map", map).has_value());
    REQUIRE(base::write_knob_at(AT_FDCWD, proc + "gid_map", map).has_value());
    return base::open_at(AT_FDCWD, proc + "ns/user", O_RDONLY).value();
}

std::size_t mount_count() {
    std::ifstream table("/proc/self/mountinfo");
    std::string line;
    std::size_t count = 0;
    while (std::getline(table, line)) {
        ++count;
    }
    return count;
}

// An image directory and a guest's disk, and processes inside of the mounted root.
class Guest {
public:
    explicit Guest(bool has_userns) {
        REQUIRE(fs::create_directory(dir_.path() / "image"));
        REQUIRE(fs::create_directory(dir_.path() / "guest"));
        guest_ = base::open_dir(dir_.fd(), "guest").value();
        REQUIRE(create_disk(guest_.get()).has_value());
        if (has_userns) {
            userns_ = make_userns();
        }
    }

    [[nodiscard]] fs::path image() const { return dir_.path() / "image"; }

    [[nodiscard]] fs::path upper() const { return dir_.path() / "guest/upper"; }

    [[nodiscard]] int dir() const { return guest_.get(); }

    base::Result<base::Fd> mount(bool is_volatile = false) {
        const base::Fd lower = base::open_at(dir_.fd(), "image", O_PATH | O_DIRECTORY).value();
        const std::uint32_t root = userns_.valid() ? kBase : 0;
        auto mounted = TRY(mount_rootfs({.image_root = lower.get(),
                                         .guest_dir = guest_.get(),
                                         .userns_fd = userns_.get(),
                                         .root_uid = root,
                                         .root_gid = root,
                                         .is_volatile = is_volatile}));
        return std::move(mounted.mount);
    }

    // Runs `body` as the guest's root (or another of its ids) in the mounted root; what it returns.
    template <typename F>
    int inside(F body, uid_t uid = 0) {
        const auto mounted = mount();
        REQUIRE_MESSAGE(mounted.has_value(), mounted.error().describe());
        const pid_t pid = ::fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            const std::string at = dir_.path().string();
            const bool entered =
                ::unshare(CLONE_NEWNS) == 0 &&
                ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                ::move_mount(
                    mounted.value().get(), "", AT_FDCWD, at.c_str(), MOVE_MOUNT_F_EMPTY_PATH) ==
                    0 &&
                ::chroot(at.c_str()) == 0 && ::chdir("/") == 0 &&
                (!userns_.valid() || ::setns(userns_.get(), CLONE_NEWUSER) == 0) &&
                ::setgroups(0, nullptr) == 0 && ::setresgid(0, 0, 0) == 0 &&
                ::setresuid(0, 0, 0) == 0 && ::setresgid(uid, uid, uid) == 0 &&
                ::setresuid(uid, uid, uid) == 0;
            ::_exit(entered ? body() : 99);
        }
        int status = -1;
        REQUIRE(::waitpid(pid, &status, 0) == pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 256;
    }

private:
    TempDir dir_;
    base::Fd guest_;
    base::Fd userns_;
};

#ifdef __x86_64__
constexpr const char* kMachine = "x86-64";
#else
constexpr const char* kMachine = "other";
#endif

// A static program: exit(geteuid()).
std::string program_exiting_with_euid() {
    const std::string code("\xb8\x6b\0\0\0\x0f\x05\x89\xc7\xb8\x3c\0\0\0\x0f\x05", 16);
    constexpr std::uint64_t kAddress = 0x400000;
    Elf64_Ehdr header{};
    std::copy_n(ELFMAG, SELFMAG, header.e_ident);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_entry = kAddress + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_ehsize = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 1;
    Elf64_Phdr segment{};
    segment.p_type = PT_LOAD;
    segment.p_flags = PF_R | PF_X;
    segment.p_vaddr = kAddress;
    segment.p_filesz = sizeof header + sizeof segment + code.size();
    segment.p_memsz = segment.p_filesz;
    segment.p_align = 4096;
    return std::string(reinterpret_cast<const char*>(&header), sizeof header) +
           std::string(reinterpret_cast<const char*>(&segment), sizeof segment) + code;
}

int create(const char* path) {
    const int fd = ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    return fd >= 0 ? 0 : errno;
}

}  // namespace

TEST_CASE("what the guest's root makes is root's on the disk, in whatever range it runs") {
    NEEDS_ROOT();
    Guest guest(true);
    write_file(guest.image() / "etc/f", "image");
    REQUIRE(::chown((guest.image() / "etc/f").c_str(), 33, 44) == 0);
    const std::size_t mounts = mount_count();
    CHECK(guest.inside([] {
        struct stat info {};
        if (::stat("/etc/f", &info) != 0 || info.st_uid != 33 || info.st_gid != 44) {
            return 1;
        }
        if (create("/new") != 0 || ::chown("/etc/f", 7, 8) != 0 || ::mkdir("/dir", 0755) != 0) {
            return 2;
        }
        return 0;
    }) == 0);
    CHECK(mount_count() == mounts);
    CHECK(look(guest.upper() / "new").st_uid == 0);
    CHECK(look(guest.upper() / "dir").st_gid == 0);
    CHECK(look(guest.upper() / "etc/f").st_uid == 7);
    CHECK(look(guest.image() / "etc/f").st_uid == 33);
    CHECK(look(guest.upper()).st_uid == 0);
}

TEST_CASE("the image stays as it is when the guest changes, deletes and renames") {
    NEEDS_ROOT();
    for (const bool has_userns : {true, false}) {
        CAPTURE(has_userns);
        Guest guest(has_userns);
        write_file(guest.image() / "f", "image");
        write_file(guest.image() / "gone/a", "1");
        write_file(guest.image() / "moved/b", "2");
        CHECK(guest.inside([] {
            const int fd = ::open("/f", O_WRONLY | O_APPEND | O_CLOEXEC);
            if (fd < 0 || ::write(fd, "+", 1) != 1 || ::unlink("/gone/a") != 0 ||
                ::rmdir("/gone") != 0 || ::mkdir("/gone", 0700) != 0 ||
                ::rename("/moved", "/renamed") != 0) {
                return 1;
            }
            return 0;
        }) == 0);
        // Mounted again: what was done is still so.
        CHECK(guest.inside([] {
            const bool good = ::access("/gone/a", F_OK) != 0 && ::access("/gone", F_OK) == 0 &&
                              ::access("/moved", F_OK) != 0 && ::access("/renamed/b", F_OK) == 0;
            return good ? 0 : 1;
        }) == 0);
        CHECK(read_file(guest.image() / "f") == "image");
        CHECK(read_file(guest.upper() / "f") == "image+");
        CHECK(fs::exists(guest.image() / "gone/a"));
        char opaque = 0;
        CHECK(::getxattr((guest.upper() / "gone").c_str(), "trusted.overlay.opaque", &opaque, 1) ==
              1);
        CHECK(opaque == 'y');
        REQUIRE(remove_disk(guest.dir()).has_value());
        CHECK(!fs::exists(guest.upper()));
        CHECK(remove_disk(guest.dir()).has_value());
    }
}

TEST_CASE("device nodes of an image cannot be opened, by mode or by root") {
    NEEDS_ROOT();
    Guest guest(true);
    REQUIRE(::mknod((guest.image() / "null").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0);
    REQUIRE(::chmod((guest.image() / "null").c_str(), 0666) == 0);
    CHECK(guest.inside([] {
        return ::open("/null", O_RDWR | O_CLOEXEC) < 0 && errno == EACCES ? 0 : 1;
    }) == 0);
    CHECK(guest.inside([] {
        return ::mknod("/m", S_IFCHR | 0666, makedev(1, 3)) != 0 && errno == EPERM ? 0 : 1;
    }) == 0);
}

TEST_CASE("setuid programs of the image hold inside") {
    NEEDS_ROOT();
    if (std::string(kMachine) != "x86-64") {
        MESSAGE("skipped: the test's program is for x86-64");
        return;
    }
    Guest guest(true);
    write_file(guest.image() / "suid", program_exiting_with_euid());
    write_file(guest.image() / "plain", program_exiting_with_euid());
    REQUIRE(::chown((guest.image() / "suid").c_str(), 77, 0) == 0);
    REQUIRE(::chmod((guest.image() / "suid").c_str(), 04755) == 0);
    REQUIRE(::chmod((guest.image() / "plain").c_str(), 0755) == 0);
    const auto run = [](const char* program) {
        return [program] {
            ::execl(program, program, nullptr);
            return 98;
        };
    };
    CHECK(guest.inside(run("/plain"), 33) == 33);
    CHECK(guest.inside(run("/suid"), 33) == 77);
}

TEST_CASE("file capabilities of the image hold inside, for what is the guest's") {
    NEEDS_ROOT();
    if (!fs::exists("/bin/busybox")) {
        MESSAGE("skipped: needs /bin/busybox (busybox-static)");
        return;
    }
    Guest guest(true);
    for (const char* name : {"plain", "capable"}) {
        fs::copy_file("/bin/busybox", guest.image() / name);
    }
    const std::string capability("\x01\0\0\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                                 20);  // cap_chown=ep
    REQUIRE(
        ::setxattr(
            (guest.image() / "capable").c_str(), "security.capability", capability.data(), 20, 0) ==
        0);
    write_file(guest.image() / "target", "x");
    const auto chown_by = [](const char* program) {
        return [program] {
            ::execl(program, "busybox", "chown", "5", "/target", nullptr);
            return 98;
        };
    };
    CHECK(guest.inside(chown_by("/plain"), 1000) == 1);
    CHECK(guest.inside(chown_by("/capable"), 1000) == 0);
    CHECK(look(guest.upper() / "target").st_uid == 5);
}

TEST_CASE("an ordinary user of the guest is held to its files' modes") {
    NEEDS_ROOT();
    Guest guest(true);
    write_file(guest.image() / "secret", "s");
    REQUIRE(::chmod((guest.image() / "secret").c_str(), 0600) == 0);
    CHECK(guest.inside(
              [] { return ::open("/secret", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES ? 0 : 1; },
              1000) == 0);
    CHECK(guest.inside([] { return create("/x") == EACCES ? 0 : 1; }, 1000) == 0);
}

TEST_CASE("a volatile root says so, and its upper is not mounted again after a crash") {
    NEEDS_ROOT();
    Guest guest(true);
    const auto mounted = guest.mount(true);
    REQUIRE_MESSAGE(mounted.has_value(), mounted.error().describe());
    CHECK(fs::exists(guest.upper().parent_path() / "work/work/incompat/volatile"));
}

TEST_CASE("mounting leaves the caller's credentials as they were") {
    NEEDS_ROOT();
    const auto status = [] { return read_file("/proc/self/status"); };
    const auto credentials = [&] {
        const std::string text = status();
        return text.substr(text.find("Uid:"), text.find("FDSize:") - text.find("Uid:")) +
               text.substr(text.find("CapInh:"), text.find("NoNewPrivs:") - text.find("CapInh:"));
    };
    const std::string before = credentials();
    const int dumpable = ::prctl(PR_GET_DUMPABLE);
    Guest guest(true);
    REQUIRE(guest.mount().has_value());
    CHECK(credentials() == before);
    {
        const auto held = CreatorCredentials::assume(kBase, kBase + 1);
        REQUIRE(held.has_value());
        CHECK(credentials() != before);
        CHECK(contains(status(), "Uid:\t0\t0\t0\t1000000"));
        CHECK(contains(status(), "Gid:\t0\t0\t0\t1000001"));
    }
    CHECK(credentials() == before);
    CHECK(::prctl(PR_GET_DUMPABLE) == dumpable);
    // A failure leaves no trace either.
    REQUIRE(remove_disk(guest.dir()).has_value());
    CHECK(!guest.mount().has_value());
    CHECK(credentials() == before);
}

TEST_CASE("a file system that cannot be mapped is refused with its name and the remedy") {
    NEEDS_ROOT();
    Guest guest(true);
    const base::Fd proc = base::open_dir(AT_FDCWD, "/proc").value();
    const base::Fd userns = make_userns();
    const auto mounted = mount_rootfs({.image_root = proc.get(),
                                       .guest_dir = guest.dir(),
                                       .userns_fd = userns.get(),
                                       .root_uid = kBase,
                                       .root_gid = kBase});
    REQUIRE(!mounted.has_value());
    CHECK(mounted.error().kind() == base::ErrorKind::Unsupported);
    CHECK(contains(mounted.error().describe(), "--userns host"));
}

TEST_CASE("the probe tells what a disk can do and leaves nothing") {
    NEEDS_ROOT();
    const TempDir dir;
    const auto support = probe_disk(dir.fd());
    REQUIRE_MESSAGE(support.has_value(), support.error().describe());
    CHECK(fs::is_empty(dir.path()));
    CHECK(!support.value().fs_type.empty());
    CHECK(support.value().why_not.empty() ==
          (support.value().idmapped && support.value().overlay_upper));
    const base::Fd proc = base::open_dir(AT_FDCWD, "/proc").value();
    const auto none = probe_disk(proc.get());
    REQUIRE(none.has_value());
    CHECK(!none.value().overlay_upper);
    CHECK(!none.value().why_not.empty());
}
