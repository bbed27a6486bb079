// The bytes of an archive without its compression, by libarchive: gzip, xz, zstd, bzip2, lz4, or
// none. Apart from the tar reader, so that one can tell a complete archive from one that ends
// early: tar readers take any end between two entries for the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"

struct archive;

namespace warren::images {

struct ArchiveFree {
    void operator()(archive* handle) const;
};

using ArchiveHandle = std::unique_ptr<archive, ArchiveFree>;

// What libarchive says about its last failure, on one line.
[[nodiscard]] std::string archive_message(archive* handle);

class ArchiveStream {
public:
    // Reads from the descriptor's current place; it stays the caller's.
    [[nodiscard]] static base::Result<std::unique_ptr<ArchiveStream>> open(int fd);

    // The next bytes, good until the next call; none at the end. The end is only reached when the
    // compressed stream is whole.
    [[nodiscard]] base::Result<std::span<const std::byte>> read();

    [[nodiscard]] std::uint64_t position() const { return position_; }

    // How many of the last bytes read are zeros.
    [[nodiscard]] std::uint64_t trailing_zeros() const { return trailing_zeros_; }

private:
    explicit ArchiveStream(ArchiveHandle handle) : handle_(std::move(handle)) {}

    ArchiveHandle handle_;
    std::uint64_t position_ = 0, trailing_zeros_ = 0;
};

}  // namespace warren::images
