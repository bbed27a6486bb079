// Stopping many guests together: all are asked first, then waited for together, then what is left is killed together.
#pragma once

#include <chrono>
#include <vector>

#include "base/ids.hpp"
#include "runtime/engine/context.hpp"
#include "runtime/engine/workers.hpp"

namespace warren::engine {

class StopBatch {
public:
    explicit StopBatch(const Context& context);
    StopBatch(const StopBatch&) = delete;
    StopBatch& operator=(const StopBatch&) = delete;
    StopBatch(StopBatch&&) = delete;
    StopBatch& operator=(StopBatch&&) = delete;
    ~StopBatch();

    // Locks the guest and records that it is stopping; `index` is what finish() calls it by. False when it does not run.
    // Add in ascending order of names.
    [[nodiscard]] base::Result<bool> add(std::size_t index,
                                         const base::Name& name,
                                         std::chrono::milliseconds lock_timeout);
    // Asks each in its init's own way.
    void ask();
    // Until all have ended or the time is over.
    void wait(std::chrono::milliseconds timeout);
    // Kills what is left, releases everything and unlocks.
    void finish(const OnItem& done);

private:
    struct Entry;
    void kill(Entry& entry);
    const Context& context_;
    std::vector<Entry> entries_;
};

}  // namespace warren::engine
