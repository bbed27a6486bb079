// linux.seccomp of the OCI runtime specification 1.2: the words it is written in, and which of them
// this kernel takes. The filter itself is made by seccomp.hpp with SeccompProfile::Oci.
//
// How the object is read:
// - A missing "defaultAction" together with no "syscalls" means no filter: an empty program.
// - Names that neither libseccomp nor we know are skipped and counted. Unknown actions, comparisons,
//   architectures and flags are refused with their place, and so are flags this kernel does not take.
// - "errnoRet" belongs to SCMP_ACT_ERRNO and SCMP_ACT_TRACE (there it is the tracer's message). With
//   another action it is refused, as the specification demands; 0 counts as absent.
// - Absent "flags" means none.
// - Several conditions of one call must all hold; two on the same argument stand alone each.
// - A call that is younger than every name in the profile answers ENOSYS, not the default action,
//   unless the default lets calls through: C libraries then fall back. A foreign instruction set that is
//   not listed is killed.
// - SCMP_ACT_NOTIFY needs "listenerPath", and is refused as the default action and for sendmsg: with it
//   a container's first process reports to us under the filter, before anybody listens.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace warren::isolation {

[[nodiscard]] std::span<const std::string_view> oci_seccomp_actions();
[[nodiscard]] std::span<const std::string_view> oci_seccomp_operators();
// Those of them that this libseccomp knows.
[[nodiscard]] std::vector<std::string_view> oci_seccomp_architectures();
[[nodiscard]] std::span<const std::string_view> oci_seccomp_flags();
// Those of them that this kernel takes. Asks seccomp(2) without installing anything.
[[nodiscard]] std::vector<std::string_view> supported_oci_seccomp_flags();

}  // namespace warren::isolation
