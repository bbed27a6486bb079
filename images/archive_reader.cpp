#include "images/archive_reader.hpp"

#include <algorithm>
#include <string_view>

#include <sys/sysmacros.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/excerpt.hpp"
#include "images/acl.hpp"

namespace warren::images {
namespace {

constexpr std::uint64_t kBlock = 512;

std::string text_or_empty(const char* text) {
    return text == nullptr ? std::string() : std::string(text);
}

// libarchive converts names to the locale's character set and warns when it cannot; it then gives
// the bytes as they stand, which is what is wanted. Any other warning is about damage.
bool is_about_characters(archive* tar) {
    const char* text = archive_error_string(tar);
    return text != nullptr &&
           std::string_view(text).find("can't be converted") != std::string_view::npos;
}

base::Result<EntryType> type_of(archive_entry* entry) {
    if (archive_entry_hardlink(entry) != nullptr) {
        return EntryType::Hardlink;
    }
    switch (archive_entry_filetype(entry)) {
        case AE_IFREG:
            return EntryType::File;
        case AE_IFDIR:
            return EntryType::Directory;
        case AE_IFLNK:
            return EntryType::Symlink;
        case AE_IFCHR:
            return EntryType::CharDevice;
        case AE_IFBLK:
            return EntryType::BlockDevice;
        case AE_IFIFO:
            return EntryType::Fifo;
        case AE_IFSOCK:
            return EntryType::Socket;
        default:
            return base::usage_error("is of an unknown type");
    }
}

AclTag tag_of(int tag) {
    switch (tag) {
        case ARCHIVE_ENTRY_ACL_USER_OBJ:
            return AclTag::UserObj;
        case ARCHIVE_ENTRY_ACL_USER:
            return AclTag::User;
        case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
            return AclTag::GroupObj;
        case ARCHIVE_ENTRY_ACL_GROUP:
            return AclTag::Group;
        case ARCHIVE_ENTRY_ACL_MASK:
            return AclTag::Mask;
        default:
            return AclTag::Other;
    }
}

base::Status read_acl(archive_entry* entry, int wanted, std::string_view name, Metadata& meta) {
    if ((archive_entry_acl_types(entry) & wanted) == 0 ||
        archive_entry_acl_reset(entry, wanted) == 0) {
        return base::ok();
    }
    std::vector<AclEntry> entries;
    int type = 0;
    int permissions = 0;
    int tag = 0;
    int id = 0;
    const char* who = nullptr;
    while (archive_entry_acl_next(entry, wanted, &type, &permissions, &tag, &id, &who) ==
           ARCHIVE_OK) {
        const bool is_named = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;
        if (is_named && id < 0) {
            return base::usage_error("access control list names \"" +
                                     base::excerpt(text_or_empty(who)) +
                                     "\" without an id; archive it with numeric owners");
        }
        entries.push_back({tag_of(tag),
                           static_cast<std::uint16_t>(permissions & 7),
                           is_named ? static_cast<std::uint32_t>(id) : 0});
    }
    const Acl acl = TRY(Acl::make(std::move(entries)));
    meta.xattrs.push_back({std::string(name), acl.to_xattr()});
    return base::ok();
}

base::Status read_metadata(archive_entry* entry, Metadata& meta) {
    meta.mode = archive_entry_perm(entry);
    meta.uid = static_cast<std::uint64_t>(archive_entry_uid(entry));
    meta.gid = static_cast<std::uint64_t>(archive_entry_gid(entry));
    meta.mtime = {archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    (void)archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
        meta.xattrs.push_back(
            {text_or_empty(name), std::string(static_cast<const char*>(value), size)});
    }
    TRY(read_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, kAclAccess, meta));
    return read_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, kAclDefault, meta);
}

base::Result<Entry> convert(archive_entry* entry) {
    Entry out;
    out.path = text_or_empty(archive_entry_pathname(entry));
    if (out.path.empty()) {
        return base::usage_error("read archive: an entry has no name");
    }
    auto fill = [&]() -> base::Status {
        out.type = TRY(type_of(entry));
        if (out.type == EntryType::Hardlink) {
            out.target = text_or_empty(archive_entry_hardlink(entry));
            return base::ok();
        }
        if (out.type == EntryType::Symlink) {
            out.target = text_or_empty(archive_entry_symlink(entry));
            if (out.target.empty()) {
                return base::usage_error("symbolic link without a target");
            }
        }
        out.device = makedev(static_cast<unsigned>(archive_entry_rdevmajor(entry)),
                             static_cast<unsigned>(archive_entry_rdevminor(entry)));
        const auto size = archive_entry_size(entry);
        if (size < 0) {
            return base::usage_error("size is negative");
        }
        out.size = out.type == EntryType::File ? static_cast<std::uint64_t>(size) : 0;
        return read_metadata(entry, out.meta);
    };
    TRY(base::with_context(fill(), entry_label(out.path)));
    return out;
}

}  // namespace

// libarchive's read callback needs a place that does not move.
struct ArchiveReader::Feed {
    ArchiveStream* stream;
    std::uint64_t max_bytes;
    std::optional<base::Error> error = std::nullopt;

    la_ssize_t fail(archive* tar, base::Error&& why) {
        // libarchive only hears that there was one.
        archive_set_error(tar, EIO, "read error");
        error = std::move(why);
        return ARCHIVE_FATAL;
    }

    static la_ssize_t read(archive* tar, void* self, const void** bytes) {
        auto* feed = static_cast<Feed*>(self);
        auto piece = feed->stream->read();
        if (!piece) {
            return feed->fail(tar, std::move(piece).error());
        }
        if (feed->stream->position() > feed->max_bytes) {
            return feed->fail(tar,
                              base::usage_error("read archive: it unpacks to more than " +
                                                std::to_string(feed->max_bytes) + " bytes"));
        }
        *bytes = piece.value().data();
        return static_cast<la_ssize_t>(piece.value().size());
    }
};

ArchiveReader::ArchiveReader(std::unique_ptr<ArchiveStream> stream, std::uint64_t max_bytes)
    : stream_(std::move(stream)),
      feed_(new Feed{stream_.get(), max_bytes}),
      tar_(archive_read_new()) {}

ArchiveReader::~ArchiveReader() = default;

base::Result<std::unique_ptr<ArchiveReader>> ArchiveReader::open(int fd, std::uint64_t max_bytes) {
    auto stream = TRY(ArchiveStream::open(fd));
    std::unique_ptr<ArchiveReader> reader(new ArchiveReader(std::move(stream), max_bytes));
    archive* tar = reader->tar_.get();
    if (tar == nullptr) {
        return base::errno_error(ENOMEM, "read archive");
    }
    if (archive_read_support_filter_none(tar) != ARCHIVE_OK ||
        archive_read_support_format_tar(tar) != ARCHIVE_OK ||
        archive_read_open(tar, reader->feed_.get(), nullptr, Feed::read, nullptr) != ARCHIVE_OK) {
        return reader->error();
    }
    return reader;
}

base::Error ArchiveReader::error() const {
    if (feed_->error) {
        return *feed_->error;
    }
    const std::string text = archive_message(tar_.get());
    if (entries_ == 0 && text.find("Unrecognized") != std::string::npos) {
        return base::usage_error("read archive: it is not a tar archive");
    }
    return base::usage_error("read archive: " + text);
}

base::Result<std::optional<Entry>> ArchiveReader::next() {
    if (entries_ > 0) {
        TRY(skip_rest());
    }
    entry_end_ = static_cast<std::uint64_t>(archive_filter_bytes(tar_.get(), 0));
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(tar_.get(), &entry);
    if (status == ARCHIVE_EOF) {
        TRY(check_end());
        return std::optional<Entry>();
    }
    if (status != ARCHIVE_OK && !(status == ARCHIVE_WARN && is_about_characters(tar_.get()))) {
        return error();
    }
    ++entries_;
    return std::optional(TRY(convert(entry)));
}

base::Result<std::optional<Chunk>> ArchiveReader::read() {
    const void* bytes = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(tar_.get(), &bytes, &size, &offset);
    if (status == ARCHIVE_EOF) {
        return std::optional<Chunk>();
    }
    if (status != ARCHIVE_OK || offset < 0) {
        return error();
    }
    return std::optional(Chunk{static_cast<std::uint64_t>(offset),
                               std::span(static_cast<const std::byte*>(bytes), size)});
}

// By reading, since skipping would not notice that the data end early.
base::Status ArchiveReader::skip_rest() {
    while (TRY(read())) {
    }
    return base::ok();
}

// The end mark is a block of zeros that the tar reader has consumed after the last entry. Whatever
// follows it must be zeros too: data there would be left out in silence.
base::Status ArchiveReader::check_end() {
    const auto end = static_cast<std::uint64_t>(archive_filter_bytes(tar_.get(), 0));
    while (!TRY(stream_->read()).empty()) {
    }
    const std::uint64_t after = stream_->position() - std::min(end, stream_->position());
    const bool has_mark = end >= entry_end_ + kBlock;
    if (has_mark && after > 0 && stream_->trailing_zeros() < after) {
        return base::usage_error("read archive: there are data behind its end mark");
    }
    if (!has_mark || stream_->trailing_zeros() < after + kBlock) {
        return base::usage_error("read archive: it ends early, without an end mark");
    }
    if (entries_ == 0) {
        return base::usage_error("read archive: it has no entries");
    }
    return base::ok();
}

}  // namespace warren::images
