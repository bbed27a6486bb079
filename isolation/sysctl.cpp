#include "isolation/sysctl.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace warren::isolation {

std::string sysctl_path(const std::string& key) {
    const auto first = key.find_first_of("./");
    if (first == std::string::npos || key[first] == '/') {
        return key;
    }
    std::string path = key;
    for (char& c : path) {
        c = c == '.' ? '/' : (c == '/' ? '.' : c);
    }
    return path;
}

std::optional<Namespace> sysctl_namespace(const std::string& path) {
    static constexpr std::string_view kIpc[] = {"kernel/msgmax",
                                                "kernel/msgmnb",
                                                "kernel/msgmni",
                                                "kernel/sem",
                                                "kernel/shmall",
                                                "kernel/shmmax",
                                                "kernel/shmmni",
                                                "kernel/shm_rmid_forced"};
    if (std::find(std::begin(kIpc), std::end(kIpc), path) != std::end(kIpc) ||
        path.starts_with("fs/mqueue/")) {
        return Namespace::Ipc;
    }
    if (path == "kernel/domainname" || path == "kernel/hostname") {
        return Namespace::Uts;
    }
    if (path.starts_with("net/")) {
        return Namespace::Net;
    }
    return path.starts_with("user/") ? std::optional(Namespace::User) : std::nullopt;
}

}  // namespace warren::isolation
