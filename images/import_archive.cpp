#include "images/archive_reader.hpp"
#include "images/image.hpp"
#include "images/import_session.hpp"

namespace warren::images {
namespace {

// Headers, extended attributes and padding of an archive, beside its files.
std::uint64_t stream_limit(const ImportLimits& limits) {
    constexpr std::uint64_t kPerEntry = 8192;
    return limits.total_bytes + limits.entries * kPerEntry;
}

base::Status unpack(ArchiveReader& archive, TreeWriter& writer, const Progress& progress) {
    constexpr std::uint64_t kReportEvery = 4U << 20U;
    std::uint64_t next_report = kReportEvery;
    const BodyReader body = [&archive] { return archive.read(); };
    while (auto entry = TRY(archive.next())) {
        TRY(writer.add(std::move(*entry), body));
        if (progress && archive.position() >= next_report) {
            progress("unpack", archive.position());
            next_report = archive.position() + kReportEvery;
        }
    }
    return base::ok();
}

}  // namespace

base::Result<ImageInfo> ImageStore::import_archive(const base::Name& name,
                                                   int fd,
                                                   const std::string& source,
                                                   const ImportLimits& limits,
                                                   const Progress& progress) const {
    TRY(require_absent(name));
    auto archive = TRY(ArchiveReader::open(fd, stream_limit(limits)));
    ImportSession session = TRY(ImportSession::begin(images_.get(), objects_.get(), limits));
    TRY(unpack(*archive, session.writer(), progress));
    if (progress) {
        progress("write to disk", archive->position());
    }
    return session.commit(name, source);
}

}  // namespace warren::images
