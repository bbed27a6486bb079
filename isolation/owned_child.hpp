// Children of this process: how they are cloned, and what becomes of them when nobody wants them any more. Internal to
// isolation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <linux/sched.h>

#include "base/pidref.hpp"
#include "base/result.hpp"

namespace warren::isolation {

// A child that is killed and reaped unless it is let go.
class OwnedChild {
public:
    explicit OwnedChild(base::PidRef process) : process_(std::move(process)) {}

    OwnedChild(OwnedChild&&) noexcept = default;
    OwnedChild& operator=(OwnedChild&&) = delete;
    OwnedChild(const OwnedChild&) = delete;
    OwnedChild& operator=(const OwnedChild&) = delete;
    ~OwnedChild();

    [[nodiscard]] const base::PidRef& process() const { return process_; }

    [[nodiscard]] base::PidRef let_go() { return std::move(process_); }

private:
    base::PidRef process_;
};

// How a child that was not reaped yet ended, in words: "was killed by SIGSYS (the system call filter)".
[[nodiscard]] std::string death_words(const base::PidRef& process);

// The stack of a child that runs in our memory, with a guard page below. Freed only when the child has executed its
// program or ended.
class ChildStack {
public:
    [[nodiscard]] static base::Result<ChildStack> make();

    [[nodiscard]] void* lowest() const { return memory_.get(); }

    static constexpr std::size_t kSize = std::size_t{128} << 10;

private:
    struct Unmap {
        void operator()(void* memory) const;
    };

    explicit ChildStack(void* memory) : memory_(memory) {}

    std::unique_ptr<void, Unmap> memory_;
};

struct CloneRequest {
    std::uint64_t flags = 0;            // CLONE_NEW*
    int cgroup_fd = -1;                 // clone3(CLONE_INTO_CGROUP); -1: where this process is
    const ChildStack* stack = nullptr;  // CLONE_VM, on it
};

// What ENOSPC means of a new namespace, to be put behind what failed.
inline constexpr const char* kNamespaceLimit = ": a limit of user.max_*_namespaces";

// One of the ways to be born of isolation/child/interpreter.hpp, with all but the first argument bound.
using Birth = std::function<long(const clone_args&)>;

// clone3(2), with all signals of this thread blocked: between clone and exec no handler of ours may run.
[[nodiscard]] base::Result<OwnedChild> clone_child(const CloneRequest& request, const Birth& birth);

}  // namespace warren::isolation
