#include "runtime/engine/faults.hpp"

#include <csignal>
#include <cstdlib>

#include "base/units.hpp"

namespace warren::engine {

Faults::Faults() {
#ifdef WARREN_FAULT_POINTS
    if (const char* text = std::getenv("WARREN_FAULT"); text != nullptr) {
        if (auto number = base::parse_uint(text, 1, 1'000'000)) {
            countdown_ = number.value();
        }
    }
#endif
}

void Faults::hit(const char* step) {
    (void)step;
    if (countdown_ != 0 && --countdown_ == 0) {
        (void)std::raise(SIGKILL);
    }
}

}  // namespace warren::engine
