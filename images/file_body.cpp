#include "images/file_body.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace warren::images {
namespace {

constexpr std::size_t kPiece = 256U << 10U;

base::Error changed() {
    return base::fail("file changed while it was read");
}

// Where the next data at or after `position` stand; `size` when there are none.
base::Result<std::uint64_t> next_data(int fd, std::uint64_t position, std::uint64_t size) {
    const off_t at = lseek(fd, static_cast<off_t>(position), SEEK_DATA);
    if (at >= 0) {
        return std::min(static_cast<std::uint64_t>(at), size);
    }
    if (errno == ENXIO) {
        return size;
    }
    if (errno == EINVAL || errno == EOPNOTSUPP) {
        return position;
    }
    return base::errno_error("look for data");
}

}  // namespace

void BodyDigest::skip_to(std::uint64_t offset) {
    constexpr std::size_t kZeros = 4096;
    static constexpr std::array<std::byte, kZeros> kHole{};
    while (position_ < offset) {
        const auto count = std::min<std::uint64_t>(offset - position_, kZeros);
        sha_.update(std::span(kHole.data(), static_cast<std::size_t>(count)));
        position_ += count;
    }
}

void BodyDigest::update(const Chunk& chunk) {
    skip_to(chunk.offset);
    sha_.update(chunk.bytes);
    position_ += chunk.bytes.size();
}

base::Result<std::string> BodyDigest::finish(std::uint64_t size) {
    skip_to(size);
    return sha_.hex();
}

BodyReader checked_body(const BodyReader& body, std::uint64_t size) {
    return [&body, size, end = std::uint64_t{0}]() mutable -> base::Result<std::optional<Chunk>> {
        auto chunk = TRY(body());
        if (chunk) {
            const bool fits = chunk->offset >= end && chunk->offset <= size &&
                              chunk->bytes.size() <= size - chunk->offset;
            if (!fits) {
                return base::usage_error("data beyond the size of " + std::to_string(size) +
                                         " bytes that was announced");
            }
            end = chunk->offset + chunk->bytes.size();
        }
        return chunk;
    };
}

BodyReader read_body(int fd, std::uint64_t size) {
    auto buffer = std::make_shared<std::vector<std::byte>>(std::min<std::uint64_t>(size, kPiece));
    return [=, position = std::uint64_t{0}]() mutable -> base::Result<std::optional<Chunk>> {
        position = TRY(next_data(fd, position, size));
        if (position >= size) {
            return std::optional<Chunk>();
        }
        const auto want = std::min<std::uint64_t>(size - position, buffer->size());
        const ssize_t got =
            pread(fd, buffer->data(), static_cast<std::size_t>(want), static_cast<off_t>(position));
        if (got < 0) {
            return base::errno_error("read");
        }
        if (got == 0) {
            return changed();
        }
        Chunk chunk{position, std::span(buffer->data(), static_cast<std::size_t>(got))};
        position += static_cast<std::uint64_t>(got);
        return std::optional(chunk);
    };
}

base::Status write_chunk(int fd, const Chunk& chunk) {
    auto rest = chunk.bytes;
    auto offset = static_cast<off_t>(chunk.offset);
    while (!rest.empty()) {
        const ssize_t n = pwrite(fd, rest.data(), rest.size(), offset);
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return base::errno_error("write");
        }
        rest = rest.subspan(static_cast<std::size_t>(n));
        offset += n;
    }
    return base::ok();
}

}  // namespace warren::images
