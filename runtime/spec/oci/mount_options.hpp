// The words in a mount's options (config.md "Linux mount options", mount(8), and what runc and crun
// add), read into what mount_setattr(2), move_mount(2) and fsconfig(2) take. Pure.
//
//   words                                               become
//   bind rbind remount                                  the kind of mount
//   ro nosuid nodev noexec nosymfollow and opposites    attributes
//   noatime relatime strictatime nodiratime and opposites   attributes
//   each of these with an r before it                   recursive
//   [r]private [r]shared [r]slave [r]unbindable         propagation
//   idmap ridmap, crun's idmap=uids=...;gids=...        id_map and the two maps
//   tmpcopyup copy-symlink dest-nofollow src-nofollow   their flags
//   sync async dirsync [no]lazytime [no]mand iversion  superblock
//   defaults loud silent norelatime noiversion         nothing: what the kernel does anyway
//   all else                                            data: for the file system itself
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "isolation/types.hpp"

namespace warren::spec::oci {

// MOUNT_ATTR_* as in struct mount_attr. Of two words on one attribute the later wins, so no bit but
// those of MOUNT_ATTR__ATIME is in both; where one of these is set, all of them are cleared.
struct AttributeChange {
    std::uint64_t set = 0;
    std::uint64_t clear = 0;

    [[nodiscard]] bool empty() const { return set == 0 && clear == 0; }

    bool operator==(const AttributeChange&) const = default;
};

enum class PropagationKind : std::uint8_t { Private, Shared, Slave, Unbindable };

struct Propagation {
    PropagationKind kind = PropagationKind::Private;
    bool recursive = false;
    // MS_SLAVE and so on, as mount(2) and mount_attr.propagation take it; without MS_REC.
    [[nodiscard]] std::uint64_t ms_flag() const;
    bool operator==(const Propagation&) const = default;
};

enum class MountIdMap : std::uint8_t {
    None,
    One,        // idmap: this mount
    Recursive,  // ridmap: and those below it
};

// `inside` is an id as the file system has it, `outside` the one that it is seen as on the host; when
// `relative` ('@') on the range, `outside` is an id of the container's user namespace instead.
struct MountIdRange {
    isolation::IdRange range;
    bool relative = false;
    bool operator==(const MountIdRange&) const = default;
};

struct MountOptions {
    bool bind = false;                     // bind or rbind
    bool recursive_bind = false;           // rbind
    bool remount = false;                  // changes what is mounted at the destination already
    AttributeChange attributes;            // of this mount
    AttributeChange recursive;             // of it and all below it, applied after `attributes`
    std::vector<Propagation> propagation;  // in the order written; applied one after the other
    MountIdMap id_map = MountIdMap::None;
    // crun's idmap=uids=0-100-10#@20-3-5;gids=...: empty when the word came without.
    std::vector<MountIdRange> uids;
    std::vector<MountIdRange> gids;
    bool tmpcopyup = false;      // a new tmpfs gets what lay at its destination
    bool copy_symlink = false;   // a source that is a link: made anew at the destination
    bool dest_nofollow = false;  // a link at the destination is mounted onto, not followed
    bool src_nofollow = false;   // a link as the source is itself what is bound
    // "sync", "nolazytime" and so on, of two opposites the later: FSCONFIG_SET_FLAG of a new file system,
    // or of a remount.
    std::vector<std::string> superblock;
    // FSCONFIG_SET_STRING, or SET_FLAG where the value is nullopt ("newinstance"). An empty value
    // is a value ("context=").
    std::vector<std::pair<std::string, std::optional<std::string>>> data;
    bool operator==(const MountOptions&) const = default;
};

// Refuses an empty word, a word with a NUL or a newline, one longer than 4095 bytes, and malformed
// maps. The error's place is the word's index: "/2"; the caller puts the pointer of the array before it.
[[nodiscard]] base::Result<MountOptions> parse_mount_options(const std::vector<std::string>& words);

// The first word that asks the file system for what it does not do anyway ('async' and its like).
[[nodiscard]] std::optional<std::string> superblock_change(const MountOptions& options);

// The words that parse_mount_options() understands itself, sorted: `features` lists them.
[[nodiscard]] std::vector<std::string> mount_option_words();

// "private" .. "runbindable"; nullopt for another word. linux.rootfsPropagation is one of these, too.
[[nodiscard]] std::optional<Propagation> parse_propagation(std::string_view word);
[[nodiscard]] std::string propagation_word(const Propagation& propagation);

}  // namespace warren::spec::oci
