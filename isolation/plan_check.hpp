// What a recipe cannot express is refused before anything is cloned. Pure. Internal to isolation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <linux/mount.h>

#include "base/result.hpp"
#include "isolation/plan.hpp"

namespace warren::isolation {

// Of the empty tmpfs over a masked directory.
inline constexpr std::uint64_t kMaskAttributes =
    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

inline constexpr std::size_t kHostnameLimit = 64;  // __NEW_UTS_LEN

// No zero byte.
[[nodiscard]] base::Status check_text(const std::string& where, const std::string& text);
[[nodiscard]] base::Status check_texts(const char* list, const std::vector<std::string>& texts);
// Absolute, without "..".
[[nodiscard]] base::Status check_path(const std::string& where, const std::string& path);
[[nodiscard]] base::Status check_paths(const char* list, const std::vector<std::string>& paths);

// Usage errors, each with its place.
[[nodiscard]] base::Status check_guest(const GuestSpec& spec);
[[nodiscard]] base::Status check_process(const ProcessSpec& process, const SeccompProgram& filter);

}  // namespace warren::isolation
