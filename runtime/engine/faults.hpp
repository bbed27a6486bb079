// Fault points: places between two steps of a verb where a test build can be told to die by SIGKILL, to prove
// that the next command recovers. WARREN_FAULT=N dies at the Nth point met; in release builds nothing is read.
#pragma once

#include <cstdint>

namespace warren::engine {

class Faults {
public:
    Faults();
    // `step` names the point for a reader of the code and of the debug log.
    void hit(const char* step);

private:
    std::uint64_t countdown_ = 0;  // 0: never
};

}  // namespace warren::engine
