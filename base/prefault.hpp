// The pages of a short-lived program, fetched at once.
//
// A command runs for a millisecond or two and takes a hundred page faults in it, each a trap for 16 pages at most of a
// program of which most is needed.
#pragma once

namespace warren::base {

// Maps the program's code (MADV_POPULATE_READ, Linux 5.14; on older kernels it is fetched as it is run). Call it first.
void prefault_code();

}  // namespace warren::base
