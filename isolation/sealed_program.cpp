#include "isolation/sealed_program.hpp"

#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.hpp"

namespace warren::isolation {

namespace {

constexpr const char* kOwnFile = "/proc/self/exe";

base::Result<std::vector<std::string>> own_arguments() {
    constexpr std::size_t kLimit = 8U << 20;
    const auto text = TRY(base::read_file_at(AT_FDCWD, "/proc/self/cmdline", kLimit));
    std::vector<std::string> arguments;
    for (std::size_t at = 0; at < text.size();) {
        arguments.emplace_back(text.c_str() + at);
        at += arguments.back().size() + 1;
    }
    return arguments;
}

base::Result<base::Fd> read_only_file() {
    constexpr unsigned kFlags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
    base::Fd file(static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, kOwnFile, kFlags)));
    if (!file) {
        return base::errno_error("seal the program: clone the mount of its file");
    }
    mount_attr attr{};
    attr.attr_set = MOUNT_ATTR_RDONLY;
    if (::syscall(SYS_mount_setattr, file.get(), "", AT_EMPTY_PATH, &attr, sizeof(attr)) != 0) {
        return base::errno_error("seal the program: make its file read-only");
    }
    return file;
}

}  // namespace

bool program_is_sealed() {
    struct statvfs info {};

    return ::statvfs(kOwnFile, &info) == 0 && (info.f_flag & ST_RDONLY) != 0;
}

base::Status seal_program() {
    if (program_is_sealed()) {
        return base::ok();
    }
    auto arguments = TRY(own_arguments());
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (auto& argument : arguments) {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    const auto file = TRY(read_only_file());
    (void)::syscall(SYS_execveat, file.get(), "", argv.data(), ::environ, AT_EMPTY_PATH);
    return base::errno_error("seal the program: run it anew");
}

}  // namespace warren::isolation
