// Tar archives (ustar, pax, GNU; sparse files, extended attributes, ACLs) as entries, by
// libarchive. Everything that comes out is still to be distrusted.
#pragma once

#include <memory>
#include <optional>

#include "base/result.hpp"
#include "images/archive_stream.hpp"
#include "images/entry.hpp"

namespace warren::images {

class ArchiveReader {
public:
    [[nodiscard]] static base::Result<std::unique_ptr<ArchiveReader>> open(int fd,
                                                                           std::uint64_t max_bytes);
    ArchiveReader(const ArchiveReader&) = delete;
    ArchiveReader& operator=(const ArchiveReader&) = delete;
    ArchiveReader(ArchiveReader&&) = delete;
    ArchiveReader& operator=(ArchiveReader&&) = delete;
    ~ArchiveReader();

    // nullopt at the end of a complete archive: one that has its end mark, and nothing but zeros
    // after it.
    [[nodiscard]] base::Result<std::optional<Entry>> next();
    // The pieces of the entry that next() gave last.
    [[nodiscard]] base::Result<std::optional<Chunk>> read();

    // Bytes of the uncompressed archive so far, for progress.
    [[nodiscard]] std::uint64_t position() const { return stream_->position(); }

private:
    struct Feed;
    ArchiveReader(std::unique_ptr<ArchiveStream> stream, std::uint64_t max_bytes);
    [[nodiscard]] base::Error error() const;
    [[nodiscard]] base::Status skip_rest();
    [[nodiscard]] base::Status check_end();

    std::unique_ptr<ArchiveStream> stream_;
    std::unique_ptr<Feed> feed_;
    ArchiveHandle tar_;
    std::uint64_t entries_ = 0;
    std::uint64_t entry_end_ = 0;
};

}  // namespace warren::images
