#include "base/prefault.hpp"

#include <cstdint>

#include <sys/mman.h>
#include <unistd.h>

// The linker's own: where the first of the code's segments begins, and where the code ends.
extern "C" const char __executable_start;
extern "C" const char etext;

namespace warren::base {

void prefault_code() {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(&__executable_start) / page * page;
    const auto end = (reinterpret_cast<std::uintptr_t>(&etext) + page - 1) / page * page;
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_READ);
}

}  // namespace warren::base
