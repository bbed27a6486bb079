// File contents on their way: read in pieces, digested with their holes as zeros, written with
// their holes as holes.
#pragma once

#include <cstdint>
#include <string>

#include "base/digest.hpp"
#include "base/result.hpp"
#include "images/entry.hpp"

namespace warren::images {

// Digests pieces in order of offset up to a known size.
class BodyDigest {
public:
    void update(const Chunk& chunk);
    // Up to `size`, as a hole.
    [[nodiscard]] base::Result<std::string> finish(std::uint64_t size);

private:
    void skip_to(std::uint64_t offset);
    base::Sha256 sha_;
    std::uint64_t position_ = 0;
};

// The pieces of `body`, each checked to start at or after the end of the last one and to end by
// `size`.
[[nodiscard]] BodyReader checked_body(const BodyReader& body, std::uint64_t size);

// The data of an open file without its holes (lseek(2) SEEK_DATA), which must be `size` bytes long
// all the while. The descriptor stays the caller's.
[[nodiscard]] BodyReader read_body(int fd, std::uint64_t size);

[[nodiscard]] base::Status write_chunk(int fd, const Chunk& chunk);

}  // namespace warren::images
