// A program's two outputs, caught in memory.
#pragma once

#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "cli/common/console.hpp"

namespace warren::cli::test {

class Output {
public:
    Output() : out_(memfd_create("out", MFD_CLOEXEC)), err_(memfd_create("err", MFD_CLOEXEC)) {}

    [[nodiscard]] Console::Settings settings() const {
        Console::Settings settings;
        settings.out = out_.get();
        settings.err = err_.get();
        return settings;
    }

    [[nodiscard]] std::string out() const { return text_of(out_); }

    [[nodiscard]] std::string err() const { return text_of(err_); }

private:
    static std::string text_of(const base::Fd& fd) {
        return base::read_file_at(AT_FDCWD, base::proc_fd_path(fd.get())).value();
    }

    base::Fd out_;
    base::Fd err_;
};

}  // namespace warren::cli::test
