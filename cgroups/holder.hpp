// A child that does nothing but sit in a cgroup, so that it is not empty. It dies with its parent, whatever way
// that goes, holds no descriptor, and no signal but SIGKILL moves it.
#pragma once

#include <sys/types.h>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace warren::cgroups {

struct Holder {
    pid_t pid = -1;
    base::Fd pidfd;
};

// In the cgroup that `dir` is, from birth (CLONE_INTO_CGROUP); -1: in ours. Not before the child has closed all
// that it inherited (locks and pipes of the caller's) does this return.
[[nodiscard]] base::Result<Holder> start_holder(int dir);

// Kills and reaps it.
void end_holder(Holder holder);

}  // namespace warren::cgroups
