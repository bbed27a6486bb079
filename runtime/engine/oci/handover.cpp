#include "runtime/engine/oci/handover.hpp"

#include <array>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/socket.hpp"

namespace warren::engine::oci {

namespace {

struct Split {
    std::string directory;
    std::string name;
};

Split split(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) {
        return {".", path};
    }
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

base::Result<base::Fd> connect_stream(const std::string& path) {
    const std::string what = "connect to " + path;
    const auto parts = split(path);
    const auto directory = TRY(base::open_at(AT_FDCWD, parts.directory, O_PATH | O_DIRECTORY));
    const std::string short_path = base::proc_fd_path(directory.get()) + "/" + parts.name;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (short_path.size() >= sizeof(address.sun_path)) {
        return base::errno_error(ENAMETOOLONG, what);
    }
    std::memcpy(address.sun_path, short_path.c_str(), short_path.size() + 1);
    base::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) {
        return base::errno_error("make socket");
    }
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
        0) {
        return base::errno_error(what);
    }
    return socket;
}

base::Status send_descriptor(int socket, std::string_view text, int fd) {
    const std::array<int, 1> fds{fd};
    return base::send_message(socket, text, fds);
}

base::Status hand_over(const std::string& path, std::string_view text, int fd) {
    const auto socket = TRY(connect_stream(path));
    return base::with_context(send_descriptor(socket.get(), text, fd), "send to " + path);
}

base::Status write_pid_file(const std::string& path, pid_t pid) {
    const auto parts = split(path);
    const auto directory = TRY(base::open_dir(AT_FDCWD, parts.directory));
    return base::with_context(
        base::replace_file_at(
            directory.get(), parts.name, std::to_string(pid), 0644, base::Durability::Volatile),
        "write pid file " + path);
}

}  // namespace warren::engine::oci
