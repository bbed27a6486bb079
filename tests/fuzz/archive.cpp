// Archives as `image import` reads them, compressed or not: every entry and every piece of its content.
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "images/archive_reader.hpp"
#include "tests/fuzz/target.hpp"

namespace {

constexpr std::uint64_t kMaxBytes = 16U << 20U;

void read_all(warren::images::ArchiveReader& reader) {
    while (true) {
        const auto entry = reader.next();
        if (!entry || !entry.value()) {
            return;
        }
        std::uint64_t end = 0;
        while (true) {
            const auto chunk = reader.read();
            if (!chunk || !chunk.value()) {
                break;
            }
            warren::fuzz::require(chunk.value()->offset >= end,
                                  "the pieces of a file come in order");
            end = chunk.value()->offset + chunk.value()->bytes.size();
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const warren::base::Fd file(::memfd_create("archive", MFD_CLOEXEC));
    warren::fuzz::require(file.get() >= 0, "memfd_create works");
    warren::fuzz::require(::write(file.get(), data, size) == static_cast<ssize_t>(size),
                          "write works");
    warren::fuzz::require(::lseek(file.get(), 0, SEEK_SET) == 0, "lseek works");
    const auto reader = warren::images::ArchiveReader::open(file.get(), kMaxBytes);
    if (reader) {
        read_all(*reader.value());
    }
    return 0;
}
