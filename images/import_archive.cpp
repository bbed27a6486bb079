#include "images/archive_reader.hpp"
#include "images/image.hpp"
#include "images/import_session.hpp"
#include "images/unpack.hpp"

namespace warren::images {

base::Result<ImageInfo> ImageStore::import_archive(const base::Name& name,
                                                   int fd,
                                                   const std::string& source,
                                                   const ImportLimits& limits,
                                                   const Progress& progress) const {
    TRY(require_absent(name));
    auto archive = TRY(ArchiveReader::open(fd, stream_limit(limits)));
    ImportSession session = TRY(ImportSession::begin(images_.get(), objects_.get(), limits));
    TRY(unpack(*archive, session.writer(), {}, progress));
    if (progress) {
        progress("write to disk", archive->position());
    }
    return session.commit(name, source);
}

}  // namespace warren::images
