#include "images/archive_stream.hpp"

#include <algorithm>
#include <array>

#include <archive.h>

#include "base/excerpt.hpp"

namespace warren::images {

void ArchiveFree::operator()(archive* handle) const {
    (void)archive_read_free(handle);
}

std::string archive_message(archive* handle) {
    const char* text = archive_error_string(handle);
    return text == nullptr ? "unknown error" : base::excerpt(text);
}

namespace {

// The raw format takes everything but nothing.
base::Error open_error(archive* handle) {
    const std::string text = archive_message(handle);
    const bool is_empty = text.find("Unrecognized") != std::string::npos;
    return base::usage_error("read archive: " + (is_empty ? "it is empty" : text));
}

}  // namespace

base::Result<std::unique_ptr<ArchiveStream>> ArchiveStream::open(int fd) {
    ArchiveHandle handle(archive_read_new());
    if (!handle) {
        return base::errno_error(ENOMEM, "read archive");
    }
    constexpr std::array kFilters{archive_read_support_filter_gzip,
                                  archive_read_support_filter_bzip2,
                                  archive_read_support_filter_xz,
                                  archive_read_support_filter_zstd,
                                  archive_read_support_filter_lz4};
    for (const auto add_filter : kFilters) {
        // A warning means that a program would be run for it.
        if (add_filter(handle.get()) != ARCHIVE_OK) {
            return base::Error(base::ErrorKind::Unsupported,
                               "read archive: libarchive lacks a compression filter: " +
                                   archive_message(handle.get()));
        }
    }
    archive_entry* entry = nullptr;
    if (archive_read_support_format_raw(handle.get()) != ARCHIVE_OK ||
        archive_read_open_fd(handle.get(), fd, 64U << 10U) != ARCHIVE_OK) {
        return open_error(handle.get());
    }
    switch (archive_read_next_header(handle.get(), &entry)) {
        case ARCHIVE_OK:
            return std::unique_ptr<ArchiveStream>(new ArchiveStream(std::move(handle)));
        case ARCHIVE_EOF:
            return base::usage_error("read archive: it is empty");
        default:
            return open_error(handle.get());
    }
}

base::Result<std::span<const std::byte>> ArchiveStream::read() {
    // By blocks, which come as soon as the writer of a pipe has written something.
    std::span<const std::byte> bytes;
    while (bytes.empty()) {
        const void* block = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        const int status = archive_read_data_block(handle_.get(), &block, &size, &offset);
        if (status == ARCHIVE_EOF) {
            return bytes;
        }
        if (status != ARCHIVE_OK) {
            return base::usage_error("read archive: " + archive_message(handle_.get()));
        }
        bytes = std::span(static_cast<const std::byte*>(block), size);
    }
    const auto last =
        std::find_if(bytes.rbegin(), bytes.rend(), [](std::byte b) { return b != std::byte{0}; });
    const auto zeros = static_cast<std::uint64_t>(last - bytes.rbegin());
    trailing_zeros_ = zeros == bytes.size() ? trailing_zeros_ + zeros : zeros;
    position_ += bytes.size();
    return bytes;
}

}  // namespace warren::images
