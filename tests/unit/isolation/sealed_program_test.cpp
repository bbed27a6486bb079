// The attack of CVE-2019-5736: keep a handle on the program's file while it runs, write to it afterwards.
#include "isolation/sealed_program.hpp"

#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "base/fd.hpp"
#include "base/pidref.hpp"
#include "guest_fixture.hpp"

using namespace warren;
using namespace warren::isolation::test;

namespace {

std::pair<base::Fd, base::Fd> make_pipe() {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    return {base::Fd(ends[0]), base::Fd(ends[1])};
}

}  // namespace

TEST_CASE("a sealed program's file cannot be written through a handle kept from its run") {
    if (!can_launch()) {
        return;
    }
    auto [in, to_in] = make_pipe();
    auto [from_out, out] = make_pipe();
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        ::dup2(in.get(), 0);
        ::dup2(out.get(), 1);
        ::execl(WARREN_SEALED_PAYLOAD, "payload", "an argument", "", "last", nullptr);
        ::_exit(127);
    }
    const base::PidRef process(pid, base::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))));
    in.reset();
    out.reset();
    char text[64] = {};
    REQUIRE(::read(from_out.get(), text, sizeof(text) - 1) > 0);
    CHECK(std::string(text) == "sealed an argument  last\n");

    const base::Fd kept(
        ::open(("/proc/" + std::to_string(pid) + "/exe").c_str(), O_PATH | O_CLOEXEC));
    REQUIRE(kept.valid());
    to_in.reset();
    const auto status = base::reap(process);
    REQUIRE(status);
    CHECK(status.value() == base::ExitStatus{});
    const auto opened = base::open_at(AT_FDCWD, base::proc_fd_path(kept.get()), O_WRONLY);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().error_number() == EROFS);
    CHECK(::access(WARREN_SEALED_PAYLOAD, W_OK) == 0);  // which is not the file's own doing
}
