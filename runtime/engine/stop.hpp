// Stopping many guests together: all are asked first, then waited for together, then what is left is killed together.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "base/ids.hpp"
#include "runtime/engine/context.hpp"

namespace warren::engine {

class StopBatch {
public:
    explicit StopBatch(const Context& context);
    StopBatch(const StopBatch&) = delete;
    StopBatch& operator=(const StopBatch&) = delete;
    StopBatch(StopBatch&&) = delete;
    StopBatch& operator=(StopBatch&&) = delete;
    ~StopBatch();

    // Locks the guest and records that it is stopping. False when it does not run. Add in ascending order of names.
    [[nodiscard]] base::Result<bool> add(const base::Name& name);
    // Asks each in its init's own way.
    void ask();
    // Until all have ended or the time is over.
    void wait(std::chrono::milliseconds timeout);
    void kill_all();
    // Kills what is left, releases everything and unlocks.
    void finish(const std::function<void(const base::Name&, base::Status)>& done);

private:
    struct Entry;
    void kill(Entry& entry);
    const Context& context_;
    std::vector<Entry> entries_;
};

}  // namespace warren::engine
