// Runs as a guest's first process or command and prints what it sees as one line of JSON. Nothing here is ours but
// the eyes: only libc, so that it tells of the kernel's view and not of warren's.
//
//   inspect [print]           the report, then exit 0
//   inspect hold              the report, then wait for SIGTERM or SIGUSR1 (exit 0)
//   inspect exit N            exit N
//   inspect kill N            raise signal N
//   inspect cat PATH          {"errno":N,"text":"..."} of the first 4096 bytes
//   inspect write PATH TEXT   {"errno":N}
//   inspect save PATH         writes what standard input says to PATH: a hook
//   inspect sleep             until a signal ends it
//   inspect remount-rw PATH   {"errno":N}: what a guest's root would try on a read-only mount
//   inspect forge-ptmx        puts /dev/null over /dev/pts/ptmx, then as hold
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

namespace {

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte > 0x7e) {
            char escape[8];
            (void)std::snprintf(escape, sizeof(escape), "\\u%04x", byte);
            out += escape;
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string list(const std::vector<std::string>& items) {
    std::string out = "[";
    for (const auto& item : items) {
        out += (out.size() > 1 ? "," : "") + item;
    }
    return out + ']';
}

std::string quoted_list(const std::vector<std::string>& texts) {
    std::vector<std::string> items;
    items.reserve(texts.size());
    for (const auto& text : texts) {
        items.push_back(quoted(text));
    }
    return list(items);
}

class Object {
public:
    void raw(const std::string& key, const std::string& value) {
        text_ += (text_.empty() ? "" : ",") + quoted(key) + ':' + value;
    }

    void text(const std::string& key, const std::string& value) { raw(key, quoted(value)); }

    void number(const std::string& key, long value) { raw(key, std::to_string(value)); }

    void flag(const std::string& key, bool value) { raw(key, value ? "true" : "false"); }

    [[nodiscard]] std::string str() const { return '{' + text_ + '}'; }

private:
    std::string text_;
};

std::string slurp(const std::string& path) {
    const std::ifstream file(path);
    std::stringstream content;
    content << file.rdbuf();
    return content.str();
}

std::string link_text(const std::string& path) {
    char target[4096];
    const ssize_t size = ::readlink(path.c_str(), target, sizeof(target));
    return size < 0 ? "" : std::string(target, static_cast<std::size_t>(size));
}

std::vector<std::string> names(const std::string& path) {
    std::vector<std::string> found;
    if (DIR* dir = ::opendir(path.c_str())) {
        while (const dirent* entry = ::readdir(dir)) {
            const std::string name = entry->d_name;
            if (name != "." && name != "..") {
                found.push_back(name);
            }
        }
        (void)::closedir(dir);
    }
    return found;
}

// Every open descriptor by trying them all: /proc may not be there.
std::string open_descriptors() {
    Object fds;
    for (int fd = 0; fd < 4096; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0) {
            fds.text(std::to_string(fd), link_text("/proc/self/fd/" + std::to_string(fd)));
        }
    }
    return fds.str();
}

std::string ids() {
    Object out;
    uid_t uid[3];
    gid_t gid[3];
    (void)::getresuid(&uid[0], &uid[1], &uid[2]);
    (void)::getresgid(&gid[0], &gid[1], &gid[2]);
    out.raw("uid", list({std::to_string(uid[0]), std::to_string(uid[1]), std::to_string(uid[2])}));
    out.raw("gid", list({std::to_string(gid[0]), std::to_string(gid[1]), std::to_string(gid[2])}));
    std::vector<gid_t> groups(65536);
    const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
    std::vector<std::string> texts;
    texts.reserve(groups.size());
    for (int i = 0; i < count; ++i) {
        texts.push_back(std::to_string(groups[static_cast<std::size_t>(i)]));
    }
    out.raw("groups", list(texts));
    return out.str();
}

// The "Name:\tvalue" lines of /proc/self/status: capabilities, signals, seccomp.
std::string status() {
    Object out;
    std::istringstream lines(slurp("/proc/self/status"));
    for (std::string line; std::getline(lines, line);) {
        const auto colon = line.find(":\t");
        if (colon != std::string::npos) {
            out.text(line.substr(0, colon), line.substr(colon + 2));
        }
    }
    return out.str();
}

std::string mount(const std::string& line) {
    std::istringstream words(line);
    std::string id;
    std::string parent;
    std::string device;
    std::string root;
    std::string target;
    std::string options;
    std::string word;
    words >> id >> parent >> device >> root >> target >> options;
    bool propagates = false;
    while (words >> word && word != "-") {
        propagates = propagates || word.starts_with("shared:") || word.starts_with("master:");
    }
    std::string type;
    words >> type;
    Object out;
    out.text("target", target);
    out.text("root", root);
    out.text("type", type);
    out.text("options", options);
    out.flag("propagates", propagates);
    return out.str();
}

std::string mounts() {
    std::vector<std::string> items;
    std::istringstream lines(slurp("/proc/self/mountinfo"));
    for (std::string line; std::getline(lines, line);) {
        items.push_back(mount(line));
    }
    return list(items);
}

std::string terminal() {
    Object out;
    out.flag("is", ::isatty(0) == 1 && ::isatty(1) == 1 && ::isatty(2) == 1);
    const char* name = ::ttyname(0);
    out.text("name", name != nullptr ? name : "");
    winsize size{};
    (void)::ioctl(0, TIOCGWINSZ, &size);
    out.number("rows", size.ws_row);
    out.number("columns", size.ws_col);
    const int controlling = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
    out.flag("controlling", controlling >= 0);
    if (controlling >= 0) {
        (void)::close(controlling);
    }

    struct stat info {};

    (void)::fstat(0, &info);
    out.number("uid", static_cast<long>(info.st_uid));
    return out.str();
}

std::string rlimits() {
    Object out;
    for (int resource = 0; resource < static_cast<int>(RLIM_NLIMITS); ++resource) {
        rlimit limit{};
        (void)::getrlimit(static_cast<__rlimit_resource>(resource), &limit);
        out.raw(std::to_string(resource),
                list({std::to_string(limit.rlim_cur), std::to_string(limit.rlim_max)}));
    }
    return out.str();
}

std::string namespaces() {
    Object out;
    for (const char* name : {"mnt", "pid", "uts", "ipc", "net", "cgroup", "user", "time"}) {
        out.text(name, link_text(std::string("/proc/self/ns/") + name));
    }
    return out.str();
}

bool loopback_is_up() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    const bool known = fd >= 0 && ::ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    (void)::close(fd);
    return known && (request.ifr_flags & IFF_UP) != 0;
}

std::string report(int argc, char** argv, char** env) {
    Object out;
    // First: what follows opens descriptors of its own.
    out.raw("fds", open_descriptors());
    out.number("pid", ::getpid());
    out.number("ppid", ::getppid());
    out.number("sid", ::getsid(0));
    out.raw("ids", ids());
    out.raw("status", status());
    out.raw("mounts", mounts());
    char cwd[4096];
    out.text("cwd", ::getcwd(cwd, sizeof(cwd)) != nullptr ? cwd : "");
    char host[256] = {};
    (void)::gethostname(host, sizeof(host) - 1);
    out.text("hostname", host);
    out.raw("terminal", terminal());
    out.raw("rlimits", rlimits());
    const mode_t mask = ::umask(0);
    (void)::umask(mask);
    out.number("umask", static_cast<long>(mask));
    std::vector<std::string> texts(argv, argv + argc);
    out.raw("argv", quoted_list(texts));
    texts.clear();
    for (char** variable = env; *variable != nullptr; ++variable) {
        texts.emplace_back(*variable);
    }
    out.raw("env", quoted_list(texts));
    out.number("dumpable", ::prctl(PR_GET_DUMPABLE));
    out.text("oom_score_adj", slurp("/proc/self/oom_score_adj"));
    out.text("cgroup", slurp("/proc/self/cgroup"));
    out.raw("namespaces", namespaces());
    out.raw("root", quoted_list(names("/")));
    out.raw("processes", quoted_list(names("/proc")));
    out.flag("loopback", loopback_is_up());
    // -1: none, or a kernel without keyrings.
    out.number("keyring",
               ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
    return out.str();
}

int number(const char* text) {
    return static_cast<int>(std::strtol(text, nullptr, 10));
}

int print_errno(int error_number) {
    Object out;
    out.number("errno", error_number);
    std::cout << out.str() << std::endl;
    return 0;
}

int cat(const char* path) {
    Object out;
    char buffer[4096];
    ssize_t got = -1;
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
        got = ::read(fd, buffer, sizeof(buffer));
    }
    out.number("errno", got < 0 ? errno : 0);
    out.text("text", got < 0 ? "" : std::string(buffer, static_cast<std::size_t>(got)));
    std::cout << out.str() << std::endl;
    return 0;
}

int write_text(const char* path, const std::string& text) {
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC | O_CREAT, 0644);
    if (fd < 0) {
        return print_errno(errno);
    }
    const ssize_t written = ::write(fd, text.data(), text.size());
    return print_errno(written == static_cast<ssize_t>(text.size()) ? 0 : errno);
}

int save(const char* path) {
    std::stringstream content;
    content << std::cin.rdbuf();
    std::ofstream file(path);
    file << content.str();
    file.close();
    return file ? 0 : 1;
}

int hold(int argc, char** argv, char** env) {
    const std::string text = report(argc, argv, env);
    // A first process without a handler never gets them; blocked, they wait for sigwait. After the report was
    // made, as it tells of the mask, and before it is read, as the reader may answer with the signal.
    sigset_t ends;
    (void)::sigemptyset(&ends);
    (void)::sigaddset(&ends, SIGTERM);
    (void)::sigaddset(&ends, SIGUSR1);
    (void)::sigprocmask(SIG_BLOCK, &ends, nullptr);
    std::cout << text << std::endl;
    int got = 0;
    (void)::sigwait(&ends, &got);
    return 0;
}

}  // namespace

int main(int argc, char** argv, char** env) {
    const std::string verb = argc > 1 ? argv[1] : "print";
    if (verb == "hold") {
        return hold(argc, argv, env);
    }
    if (verb == "forge-ptmx") {
        if (::mount("/dev/null", "/dev/pts/ptmx", nullptr, MS_BIND, nullptr) != 0) {
            return 1;
        }
        return hold(argc, argv, env);
    }
    if (verb == "exit" && argc > 2) {
        return number(argv[2]);
    }
    if (verb == "kill" && argc > 2) {
        return ::raise(number(argv[2]));
    }
    if (verb == "cat" && argc > 2) {
        return cat(argv[2]);
    }
    if (verb == "save" && argc > 2) {
        return save(argv[2]);
    }
    if (verb == "sleep") {
        return ::pause();
    }
    if (verb == "write" && argc > 3) {
        return write_text(argv[2], argv[3]);
    }
    if (verb == "remount-rw" && argc > 2) {
        const int done = ::mount(nullptr, argv[2], nullptr, MS_REMOUNT | MS_BIND, nullptr);
        return print_errno(done == 0 ? 0 : errno);
    }
    std::cout << report(argc, argv, env) << std::endl;
    return 0;
}
