// Makes a system call filter small: the same answers as a tree over ranges of system call numbers.
//
// libseccomp compares with every number that has a rule. Most calls have an answer that does not depend on
// their arguments, and neighbours share it, so that a few boundaries say the same. The kernel checks,
// translates and compiles each instruction whenever a filter is loaded, and every guest keeps its own copy.
//
// Pure. Internal to isolation. docs/adr/0011; seccomp(2), "classic BPF" of bpf(2) and linux/filter.h.
#pragma once

#include <vector>

#include <linux/filter.h>

namespace warren::isolation {

// Answers every struct seccomp_data as `program` does. Calls whose answer is the same for all arguments
// look at the instruction set and the number only, so that the kernel (5.11 and later) still sees which
// are always allowed and asks the filter about the others alone.
//
// `program` itself comes back when the result would not be shorter, and when there is anything in it that
// is not understood: other instructions than loads of words, BPF_JMP, BPF_AND and BPF_RET with a constant;
// bit operations on the number or the instruction set; jumps that leave the program; too many branches.
[[nodiscard]] std::vector<sock_filter> to_ranges(const std::vector<sock_filter>& program);

}  // namespace warren::isolation
