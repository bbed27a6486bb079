#include "images/acl.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>

namespace warren::images {
namespace {

constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kNoId = 0xFFFFFFFF;
constexpr std::uint32_t kMaxId = 65535;
constexpr std::size_t kHeaderBytes = 4;
constexpr std::size_t kEntryBytes = 8;

bool has_id(AclTag tag) {
    return tag == AclTag::User || tag == AclTag::Group;
}

std::uint32_t get_little_endian(std::string_view bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = bytes.size(); i > 0; --i) {
        value = (value << 8U) | static_cast<unsigned char>(bytes[i - 1]);
    }
    return value;
}

void put_little_endian(std::string& out, std::uint32_t value, int count) {
    for (int i = 0; i < count; ++i) {
        out.push_back(static_cast<char>(value & 0xFFU));
        value >>= 8U;
    }
}

std::ptrdiff_t count_of(const std::vector<AclEntry>& entries, AclTag tag) {
    return std::count_if(
        entries.begin(), entries.end(), [tag](const AclEntry& e) { return e.tag == tag; });
}

bool is_known(AclTag tag) {
    constexpr std::array kKnown{AclTag::UserObj,
                                AclTag::User,
                                AclTag::GroupObj,
                                AclTag::Group,
                                AclTag::Mask,
                                AclTag::Other};
    return std::find(kKnown.begin(), kKnown.end(), tag) != kKnown.end();
}

}  // namespace

base::Result<Acl> Acl::make(std::vector<AclEntry> entries) {
    for (const AclEntry& entry : entries) {
        if (!is_known(entry.tag) || entry.permissions > 7) {
            return base::usage_error("access control list is malformed");
        }
        if (has_id(entry.tag) && entry.id > kMaxId) {
            return base::usage_error("access control list names id " + std::to_string(entry.id) +
                                     "; ids go up to 65535");
        }
    }
    const bool has_named =
        count_of(entries, AclTag::User) > 0 || count_of(entries, AclTag::Group) > 0;
    const auto masks = count_of(entries, AclTag::Mask);
    if (count_of(entries, AclTag::UserObj) != 1 || count_of(entries, AclTag::GroupObj) != 1 ||
        count_of(entries, AclTag::Other) != 1 || masks > 1 || (has_named && masks == 0)) {
        return base::usage_error("access control list is malformed");
    }
    std::sort(entries.begin(), entries.end(), [](const AclEntry& a, const AclEntry& b) {
        return std::tie(a.tag, a.id) < std::tie(b.tag, b.id);
    });
    return Acl(std::move(entries));
}

base::Result<Acl> Acl::parse(std::string_view xattr) {
    if (xattr.size() < kHeaderBytes || (xattr.size() - kHeaderBytes) % kEntryBytes != 0 ||
        get_little_endian(xattr.substr(0, 4)) != kVersion) {
        return base::usage_error("access control list is malformed");
    }
    std::vector<AclEntry> entries;
    for (std::size_t at = kHeaderBytes; at < xattr.size(); at += kEntryBytes) {
        AclEntry entry;
        entry.tag = static_cast<AclTag>(get_little_endian(xattr.substr(at, 2)));
        entry.permissions = static_cast<std::uint16_t>(get_little_endian(xattr.substr(at + 2, 2)));
        entry.id = has_id(entry.tag) ? get_little_endian(xattr.substr(at + 4, 4)) : 0;
        entries.push_back(entry);
    }
    return make(std::move(entries));
}

std::string Acl::to_xattr() const {
    std::string out;
    put_little_endian(out, kVersion, 4);
    for (const AclEntry& entry : entries_) {
        put_little_endian(out, static_cast<std::uint32_t>(entry.tag), 2);
        put_little_endian(out, entry.permissions, 2);
        put_little_endian(out, has_id(entry.tag) ? entry.id : kNoId, 4);
    }
    return out;
}

mode_t Acl::permission_bits() const {
    const bool has_mask = count_of(entries_, AclTag::Mask) != 0;
    mode_t bits = 0;
    for (const AclEntry& entry : entries_) {
        const mode_t permissions = entry.permissions;
        if (entry.tag == AclTag::UserObj) {
            bits |= permissions << 6U;
        } else if (entry.tag == (has_mask ? AclTag::Mask : AclTag::GroupObj)) {
            bits |= permissions << 3U;
        } else if (entry.tag == AclTag::Other) {
            bits |= permissions;
        }
    }
    return bits;
}

}  // namespace warren::images
