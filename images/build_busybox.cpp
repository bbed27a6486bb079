#include <array>

#include <fcntl.h>
#include <sys/stat.h>

#include "images/build.hpp"
#include "images/debian_package.hpp"
#include "images/image.hpp"
#include "images/import_session.hpp"
#include "images/program.hpp"

namespace warren::images {
namespace {

constexpr std::size_t kMaxBusybox = 16U << 20U;
constexpr const char* kProgram = "busybox";

constexpr const char* kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "daemon:x:1:1:daemon:/:/bin/false\n"
    "nobody:x:65534:65534:nobody:/:/bin/false\n";
constexpr const char* kGroup =
    "root:x:0:\n"
    "daemon:x:1:\n"
    "tty:x:5:\n"
    "nogroup:x:65534:\n";
constexpr const char* kShadow =
    "root:*::0:99999:7:::\ndaemon:*::0:99999:7:::\nnobody:*::0:99999:7:::\n";
constexpr const char* kHosts = "127.0.0.1\tlocalhost\n::1\tlocalhost\n";
// Nothing is respawned: a guest has no console that somebody waits at.
constexpr const char* kInittab =
    "::sysinit:/etc/init.d/rcS\n"
    "::ctrlaltdel:/sbin/reboot\n"
    "::shutdown:/etc/init.d/rcK\n";
constexpr const char* kRcS =
    "#!/bin/sh\n"
    "# Starts /etc/init.d/S*, in order.\n"
    "for service in /etc/init.d/S*; do\n"
    "    [ ! -x \"$service\" ] || \"$service\" start\n"
    "done\n";
constexpr const char* kRcK =
    "#!/bin/sh\n"
    "# Stops /etc/init.d/S*, last first.\n"
    "for service in $(ls -r /etc/init.d/S* 2>/dev/null); do\n"
    "    [ ! -x \"$service\" ] || \"$service\" stop\n"
    "done\n";
constexpr const char* kProfile = "export PATH=/usr/sbin:/usr/bin:/sbin:/bin\n";

// A static program has no interpreter: the host's own package may be the dynamic one.
bool is_static_program(const std::string& content) {
    return content.starts_with(
               "\x7f"
               "ELF") &&
           content.find("/ld-linux") == std::string::npos;
}

base::Result<std::string> get_busybox(int scratch) {
    for (const char* path : {"/bin/busybox", "/usr/bin/busybox"}) {
        auto content = base::read_file_at(AT_FDCWD, path, kMaxBusybox);
        if (content && is_static_program(content.value())) {
            return content;
        }
    }
    return base::with_context(fetch_package_file(scratch, "busybox-static", "usr/bin/busybox"),
                              "get busybox");
}

// By a shell-less run of the program itself, in namespaces of its own.
base::Result<std::string> ask_busybox(int scratch, const std::vector<std::string>& words) {
    Program program{.scratch = scratch, .package = "busybox-static"};
    program.arguments = {std::string(kScratchPath) + "/" + kProgram};
    program.arguments.insert(program.arguments.end(), words.begin(), words.end());
    return run_program(program);
}

// "BusyBox v1.35.0 (Debian ...) multi-call binary." -> "1.35.0"
std::string version_in(const std::string& banner) {
    const std::size_t start = banner.find(" v");
    if (start == std::string::npos) {
        return {};
    }
    const std::size_t end = banner.find_first_not_of("0123456789.", start + 2);
    return banner.substr(start + 2, end == std::string::npos ? end : end - start - 2);
}

std::vector<GuestFile> applet_links(const std::string& list) {
    std::vector<GuestFile> out;
    for (std::size_t at = 0; at < list.size();) {
        const std::size_t end = std::min(list.find('\n', at), list.size());
        const std::string path = list.substr(at, end - at);
        at = end + 1;
        if (!path.empty() && path != "bin/busybox") {
            out.push_back(guest_link(path, "/bin/busybox"));
        }
    }
    return out;
}

std::vector<GuestFile> busybox_tree(const std::string& program, const std::string& version) {
    std::vector<GuestFile> out;
    out.push_back(guest_directory("."));
    for (const char* path : {"bin",
                             "dev",
                             "etc",
                             "etc/init.d",
                             "home",
                             "mnt",
                             "opt",
                             "proc",
                             "run",
                             "sbin",
                             "sys",
                             "usr",
                             "usr/bin",
                             "usr/sbin",
                             "var",
                             "var/log"}) {
        out.push_back(guest_directory(path));
    }
    out.push_back(guest_directory("root", 0700));
    out.push_back(guest_directory("tmp", 01777));
    out.push_back(guest_directory("var/tmp", 01777));
    out.push_back(guest_link("var/run", "/run"));
    out.push_back(guest_file("bin/busybox", program, 0755));
    out.push_back(guest_file("etc/passwd", kPasswd));
    out.push_back(guest_file("etc/group", kGroup));
    out.push_back(guest_file("etc/shadow", kShadow, 0600));
    out.push_back(guest_file("etc/hosts", kHosts));
    out.push_back(guest_file("etc/resolv.conf", ""));
    out.push_back(guest_file("etc/profile", kProfile));
    out.push_back(guest_file("etc/inittab", kInittab));
    out.push_back(guest_file("etc/init.d/rcS", kRcS, 0755));
    out.push_back(guest_file("etc/init.d/rcK", kRcK, 0755));
    out.push_back(
        guest_file("etc/os-release", "NAME=BusyBox\nID=busybox\nVERSION_ID=" + version + "\n"));
    return out;
}

}  // namespace

base::Result<ImageInfo> ImageStore::build_busybox(const base::Name& name,
                                                  const Progress& progress) const {
    if (progress) {
        progress("fetch", 0);
    }
    TRY(sweep_leftovers(images_.get()));
    const TempDir scratch = TRY(TempDir::make(images_.get()));
    const std::string program = TRY(get_busybox(scratch.fd()));
    TRY(base::replace_file_at(scratch.fd(), kProgram, program, 0755, base::Durability::Volatile));
    const std::string applets = TRY(ask_busybox(scratch.fd(), {"--list-full"}));
    const std::string version = version_in(TRY(ask_busybox(scratch.fd(), {"--help"})));
    ImportSession session = TRY(ImportSession::begin(images_.get(), objects_.get(), {}));
    TRY(add_guest_files(session.writer(), busybox_tree(program, version)));
    TRY(add_guest_files(session.writer(), applet_links(applets)));
    return session.commit(name, "build busybox");
}

}  // namespace warren::images
