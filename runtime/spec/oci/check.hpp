// What the spec's rules say about a config that parsed. Pure: what the host can do is the engine's to find out.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/spec/oci/config.hpp"

namespace warren::spec::oci {

struct Problem {
    std::string pointer;  // of the document: "/linux/namespaces/3"
    std::string text;
    base::ErrorKind kind =
        base::ErrorKind::Usage;  // or Unsupported: well-formed, but never done here
    bool operator==(const Problem&) const = default;
};

// Every problem at once, in the order of the document's members in config.hpp; empty: none. An absent process is none.
[[nodiscard]] std::vector<Problem> check_config(const Config& config);
// The same for a process alone; `at` goes before the pointers ("/process", or "" for `exec --process`).
[[nodiscard]] std::vector<Problem> check_process(const Process& process,
                                                 const std::string& at = "");

// Which entry of mounts an entry with "remount" changes: the last one before it that mounts something at the same
// destination. nullopt: none does.
[[nodiscard]] std::optional<std::size_t> remounted(const Config& config, std::size_t index);

// The first problem as the error, its pointer as the place; the others as secondary errors.
[[nodiscard]] base::Status to_status(const std::vector<Problem>& problems);

// Whether the key (dots or slashes) belongs to a namespace, and to which: isolation::Namespace::Ipc for kernel.shm*, kernel.msg*,
// kernel.sem and fs.mqueue.*, Net for net.*, Uts for kernel.hostname and kernel.domainname, User for user.*. nullopt: the host's own.
[[nodiscard]] std::optional<isolation::Namespace> sysctl_namespace(std::string_view key);
// "net.ipv4.conf.eth0/1.forwarding" -> "net/ipv4/conf/eth0.1/forwarding": the path below /proc/sys, as sysctl(8) reads names. Without
// "..", empty steps or a leading slash, whatever the key: nullopt for one that has these.
[[nodiscard]] std::optional<std::string> sysctl_path(std::string_view key);

}  // namespace warren::spec::oci
