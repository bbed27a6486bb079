#include "base/kernel_release.hpp"

#include <charconv>

#include <sys/utsname.h>

namespace warren::base {

std::optional<KernelRelease> parse_kernel_release(std::string_view text) {
    KernelRelease release;
    const char* const end = text.data() + text.size();
    const auto major = std::from_chars(text.data(), end, release.major);
    if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') {
        return std::nullopt;
    }
    if (std::from_chars(major.ptr + 1, end, release.minor).ec != std::errc()) {
        return std::nullopt;
    }
    return release;
}

std::optional<KernelRelease> running_kernel() {
    utsname names{};
    return ::uname(&names) == 0 ? parse_kernel_release(std::data(names.release)) : std::nullopt;
}

}  // namespace warren::base
