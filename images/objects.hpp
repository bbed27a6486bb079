// The object store: regular files named by a digest of all that makes them what they are, linked
// into image trees.
//
// Equal files of two images are one inode. Equal files of ONE image stay two, as its archive had
// them: one inode would make `cp a b` say that both are the same file. So the Nth file of an image
// with a digest is the digest's Nth copy: objects/ab/HEX, objects/ab/HEX.1, ... The next copy also
// serves when the file system has no more links to give.
//
// New objects are collected beside the import's tree and moved to the store when they have reached
// the disk: an object under objects/ is never one that a power cut can leave empty.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "images/entry.hpp"
#include "images/store_lock.hpp"

namespace warren::images {

// `meta` is normalised; `content` is the SHA-256 of the file as it reads, holes as zeros.
[[nodiscard]] base::Result<std::string> object_digest(const std::string& content,
                                                      const Metadata& meta);
// Of an open file as it stands on the disk.
[[nodiscard]] base::Result<std::string> digest_of_file(int fd);

// "ab/HEX" or "ab/HEX.3".
[[nodiscard]] std::string object_path(const std::string& digest, std::uint32_t copy);
// The digest in an object's file name; empty when the name is none.
[[nodiscard]] std::string digest_in_name(const std::string& file_name);

// Where one import's files come from and go to. Owns no descriptor but its own lock's.
class ObjectSink {
public:
    // `objects` is the store's, `fresh` a private directory on the same file system.
    ObjectSink(int objects, int fresh, StoreLock lock)
        : objects_(objects), fresh_(fresh), lock_(std::move(lock)) {}

    // Makes the file `name` in the directory `parent`, where no such name is, from `body`, or links
    // the object that is the same. `size` is what the body must come to.
    [[nodiscard]] base::Status put(int parent,
                                   const std::string& name,
                                   const Metadata& meta,
                                   std::uint64_t size,
                                   const BodyReader& body);
    // Moves the fresh objects to the store. The caller has brought them to the disk.
    [[nodiscard]] base::Status publish();

    // Apparent size of the files that were in the store already.
    [[nodiscard]] std::uint64_t shared_bytes() const { return shared_bytes_; }

private:
    [[nodiscard]] base::Result<bool> link_existing(int parent,
                                                   const std::string& name,
                                                   const std::string& digest);
    [[nodiscard]] base::Status keep_as_object(int parent,
                                              const std::string& name,
                                              const std::string& digest);
    [[nodiscard]] base::Status put_small(int parent,
                                         const std::string& name,
                                         const Metadata& meta,
                                         std::uint64_t size,
                                         const BodyReader& body);
    [[nodiscard]] base::Status put_large(int parent,
                                         const std::string& name,
                                         const Metadata& meta,
                                         std::uint64_t size,
                                         const BodyReader& body);
    [[nodiscard]] std::uint32_t& next_copy(const std::string& digest);

    int objects_;
    int fresh_;
    StoreLock lock_;
    // By the first half of the digest: two digests that share it only skip copies.
    std::unordered_map<std::uint64_t, std::uint32_t> copies_;
    std::uint64_t shared_bytes_ = 0;
};

// Deletes the objects that no image links to. Takes the store's lock exclusively.
[[nodiscard]] base::Status collect_garbage(int objects, int images);

}  // namespace warren::images
