// What the tests of cgroups share: a temporary directory that stands for a host, and a real parent cgroup with
// processes to put below it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string>

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "base/fd.hpp"
#include "cgroups/cgroup.hpp"
#include "tests/unit/support/temp_dir.hpp"

namespace warren::cgroups::test {

using warren::test::TempDir;

inline constexpr std::chrono::seconds kPatience(20);

inline int wait_for(pid_t pid) {
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

// A process of ours, born in a cgroup; killed and reaped at the end.
class Process {
public:
    Process(int cgroup, const std::function<int()>& body) {
        struct clone_args arguments = {};
        arguments.flags = CLONE_INTO_CGROUP;
        arguments.exit_signal = SIGCHLD;
        arguments.cgroup = static_cast<decltype(arguments.cgroup)>(cgroup);
        const long pid = ::syscall(SYS_clone3, &arguments, sizeof(arguments));
        REQUIRE(pid >= 0);
        if (pid == 0) {
            ::_exit(body());
        }
        pid_ = static_cast<pid_t>(pid);
    }

    // Sleeps until it is killed.
    explicit Process(int cgroup)
        : Process(cgroup, [] {
              for (;;) {
                  ::pause();
              }
              return 0;
          }) {}

    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    Process(Process&&) = delete;
    Process& operator=(Process&&) = delete;

    ~Process() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
    }

    [[nodiscard]] pid_t pid() const { return pid_; }

    // The exit code, or 256 + the signal that ended it.
    int wait() { return wait_for(std::exchange(pid_, -1)); }

private:
    pid_t pid_ = -1;
};

inline std::string knob(const Cgroup& cgroup, const char* file) {
    return base::read_file_at(cgroup.dir(), file).value();
}

// A parent cgroup on this machine's own v2 tree, removed with everything below it.
class RealTree {
public:
    explicit RealTree(Host host) : host_(std::move(host)) {
        config_.configured_path = "/warren-unit-" + std::to_string(::getpid());
        auto parent = Parent::ensure(host_, config_);
        if (!parent) {
            FAIL(parent.error().describe());
        }
        parent_.emplace(std::move(parent).value());
    }

    RealTree(const RealTree&) = delete;
    RealTree& operator=(const RealTree&) = delete;
    RealTree(RealTree&&) = delete;
    RealTree& operator=(RealTree&&) = delete;

    ~RealTree() {
        parent_.reset();
        CHECK(remove_cgroup(host_, config_.configured_path, std::chrono::seconds(30)).has_value());
    }

    [[nodiscard]] const Host& host() const { return host_; }

    [[nodiscard]] int dir() const { return parent_->dir(); }

    [[nodiscard]] std::string path(const std::string& name) const {
        return config_.configured_path + "/" + name;
    }

    [[nodiscard]] std::string full_path(const std::string& name) const {
        return host_.mount_point + path(name);
    }

    [[nodiscard]] Cgroup create(const std::string& name) const {
        auto cgroup = Cgroup::create(dir(), name);
        if (!cgroup) {
            FAIL(cgroup.error().describe());
        }
        return std::move(cgroup).value();
    }

private:
    Host host_;
    ParentConfig config_;
    std::optional<Parent> parent_;
};

// This machine, when tests may make cgroups on it; else the reason is printed and there is nothing.
inline std::optional<Host> real_host() {
    auto host = probe_host();
    if (!host) {
        FAIL(host.error().describe());
    }
    if (::geteuid() != 0 || host.value().mode == HostMode::Absent) {
        MESSAGE("skipped: needs root and a cgroup v2 tree");
        return std::nullopt;
    }
    if (::access(host.value().mount_point.c_str(), W_OK) != 0) {
        MESSAGE("skipped: the cgroup v2 tree is read-only");
        return std::nullopt;
    }
    return std::move(host).value();
}

inline std::optional<Host> real_host_with(Controller controller) {
    auto host = real_host();
    if (host && host->controllers.count(controller) == 0) {
        MESSAGE("skipped: the cgroup v2 tree has no " << std::string(name(controller))
                                                      << " controller");
        return std::nullopt;
    }
    return host;
}

}  // namespace warren::cgroups::test
