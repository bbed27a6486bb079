// POSIX ACLs in the form the kernel takes as an extended attribute (linux/posix_acl_xattr.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/result.hpp"

namespace warren::images {

inline constexpr std::string_view kAclAccess = "system.posix_acl_access";
inline constexpr std::string_view kAclDefault = "system.posix_acl_default";

enum class AclTag : std::uint16_t {
    UserObj = 0x01,
    User = 0x02,
    GroupObj = 0x04,
    Group = 0x08,
    Mask = 0x10,
    Other = 0x20,
};

struct AclEntry {
    AclTag tag = AclTag::Other;
    std::uint16_t permissions = 0;  // rwx, 0..7
    std::uint32_t id = 0;           // of User and Group
};

// Ordered as the kernel wants them.
class Acl {
public:
    // Refuses what is no complete ACL, and ids above 65535.
    [[nodiscard]] static base::Result<Acl> make(std::vector<AclEntry> entries);
    [[nodiscard]] static base::Result<Acl> parse(std::string_view xattr);
    [[nodiscard]] std::string to_xattr() const;

    // Says no more than permission bits can: the kernel does not store such an access ACL.
    [[nodiscard]] bool is_minimal() const { return entries_.size() == 3; }

    // The permission bits (0777) that a file with this access ACL has.
    [[nodiscard]] mode_t permission_bits() const;

private:
    explicit Acl(std::vector<AclEntry> entries) : entries_(std::move(entries)) {}

    std::vector<AclEntry> entries_;
};

}  // namespace warren::images
