// Shares the items of a batch among processes, one a processor: what a launch does in the kernel is most of its cost,
// and a process that clones must have one thread.
#pragma once

#include <cstddef>
#include <functional>

#include "base/result.hpp"

namespace warren::engine {

using OnItem = std::function<void(std::size_t index, base::Status status)>;
// Done by one worker for the item with this index.
using WorkItem = std::function<base::Status(std::size_t index)>;
// Called in each worker process, once, before its first item.
using MakeWorker = std::function<WorkItem()>;
// Done by one worker for the items begin..end-1, together; tells each of them once.
using WorkSlice = std::function<void(std::size_t begin, std::size_t end, const OnItem& tell)>;

// As many workers as there are processors to run on, but no more than is worth while for `items`.
[[nodiscard]] std::size_t worker_count(std::size_t items);

// Calls `done` in this process once for each item in 0..count-1, in the order in which they are done. Items are taken by
// whichever worker is free. A worker that dies costs the item it was at, and the last one to die the rest: errors, told at
// the end. When this process dies the workers end after their item. With `workers` < 2 everything is done here. Must
// be called from a process with one thread; errors arrive as kind and text.
void run_in_workers(std::size_t count,
                    std::size_t workers,
                    const MakeWorker& make,
                    const OnItem& done);

// The same with at most `slice` neighbours at a time: what a worker that dies has not told of its slice are errors.
void run_slices_in_workers(std::size_t count,
                           std::size_t workers,
                           std::size_t slice,
                           const WorkSlice& work,
                           const OnItem& done);

}  // namespace warren::engine
