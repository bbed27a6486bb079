#include "runtime/engine/admission.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace warren::engine {

Admission::Admission(Read read, Now now, Sleep sleep)
    : read_(std::move(read)),
      now_(std::move(now)),
      sleep_(std::move(sleep)),
      last_(read_()),
      looked_(now_()) {}

void Admission::sleep_for(Clock::duration duration) {
    std::this_thread::sleep_for(duration);
}

std::optional<bool> Admission::stalled() {
    const auto elapsed = now_() - looked_;
    if (elapsed < kInterval) {
        return std::nullopt;
    }
    const auto times = read_();
    if (!times) {
        last_.reset();
        return false;
    }
    const auto lost = std::max(times->memory_some_micros - last_->memory_some_micros,
                               times->io_full_micros - last_->io_full_micros);
    last_ = times;
    looked_ += elapsed;
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count();
    return lost * 100 > static_cast<std::uint64_t>(micros) * kStalledPercent;
}

void Admission::wait() {
    const auto begun = now_();
    // Between two looks the next may start: the last one found nothing wrong.
    while (last_ && stalled().value_or(false) && now_() - begun < kLongest) {
        do {
            sleep_(kInterval);
        } while (now_() - looked_ < kInterval);
    }
}

}  // namespace warren::engine
