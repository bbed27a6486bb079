// Which version of Linux a kernel claims to be, for what cannot be asked of it in another way.
#pragma once

#include <compare>
#include <optional>
#include <string_view>

namespace warren::base {

struct KernelRelease {
    unsigned major = 0;
    unsigned minor = 0;

    // NOLINTNEXTLINE(modernize-use-nullptr): what the compiler writes.
    friend auto operator<=>(const KernelRelease&, const KernelRelease&) = default;
};

// Of "6.1.0-28-amd64"; nullopt, which compares as older than any, if it does not begin with two numbers.
[[nodiscard]] std::optional<KernelRelease> parse_kernel_release(std::string_view text);

// By uname(2).
[[nodiscard]] std::optional<KernelRelease> running_kernel();

}  // namespace warren::base
