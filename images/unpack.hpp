// From an archive into a tree.
#pragma once

#include <functional>
#include <string>

#include "images/archive_reader.hpp"
#include "images/image.hpp"
#include "images/tree_writer.hpp"

namespace warren::images {

// Whether an entry is wanted; absent: all are.
using EntryFilter = std::function<bool(const Entry&)>;

[[nodiscard]] base::Status unpack(ArchiveReader& archive,
                                  TreeWriter& writer,
                                  const EntryFilter& wanted,
                                  const Progress& progress);

// The bound on the bytes of an uncompressed archive with its headers, attributes and padding.
[[nodiscard]] std::uint64_t stream_limit(const ImportLimits& limits);

}  // namespace warren::images
