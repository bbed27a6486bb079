// The parts of find_problems(): each looks at one thing and appends what is wrong with it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/spec/validate.hpp"

namespace warren::spec {

using Problems = std::vector<Problem>;

// What is wrong in itself, whatever the host (checks_guest.cpp, checks_limits.cpp, checks_walls.cpp).
void check_name(const GuestConfig& config, Problems& problems);
void check_image(const GuestConfig& config, Problems& problems);
void check_hostname(const GuestConfig& config, Problems& problems);
void check_command(const GuestConfig& config, Problems& problems);
void check_init_system(const GuestConfig& config, Problems& problems);
void check_terminal(const GuestConfig& config, Problems& problems);
void check_cwd(const GuestConfig& config, Problems& problems);
void check_env(const GuestConfig& config, Problems& problems);
void check_labels(const GuestConfig& config, Problems& problems);

void check_cpu(const GuestConfig& config, Problems& problems);
void check_memory(const GuestConfig& config, Problems& problems);
void check_pids(const GuestConfig& config, Problems& problems);
void check_io(const GuestConfig& config, Problems& problems);
void check_hugetlb(const GuestConfig& config, Problems& problems);

void check_mounts(const GuestConfig& config, Problems& problems);
void check_devices(const GuestConfig& config, Problems& problems);
void check_capabilities(const GuestConfig& config, Problems& problems);
void check_seccomp(const GuestConfig& config, Problems& problems);
void check_nesting(const GuestConfig& config, Problems& problems);

// That a record of it can be read again; for a config that the checks above are content with.
void check_readable(const GuestConfig& config, Problems& problems);

// What this host cannot do (checks_host.cpp); each text names the remedy.
void check_controllers(const GuestConfig& config, const HostCaps& host, Problems& problems);
void check_namespaces(const GuestConfig& config, const HostCaps& host, Problems& problems);
void check_filter_support(const GuestConfig& config, const HostCaps& host, Problems& problems);
void check_held_capabilities(const GuestConfig& config, const HostCaps& host, Problems& problems);

// What text.cpp knows about strings.

// Longest path the kernel takes, without its NUL (PATH_MAX).
inline constexpr std::size_t kMaxPath = 4095;

// Why a string cannot be handed to the kernel and kept in a record: too long, a NUL, not UTF-8.
[[nodiscard]] std::optional<std::string> bad_text(std::string_view text, std::size_t max_bytes);
// The same for an absolute path.
[[nodiscard]] std::optional<std::string> bad_path(std::string_view path);
// "/a//b/./c/" -> "/a/b/c"; ".." stays.
[[nodiscard]] std::string normal_path(std::string_view path);
[[nodiscard]] bool has_parent_step(std::string_view path);  // a ".." component
// "--env 2": the second, as people count.
[[nodiscard]] std::string nth(std::string_view option, std::size_t index);

}  // namespace warren::spec
