// AF_UNIX SOCK_SEQPACKET: messages with their edges kept and descriptors riding along (unix(7),
// SCM_RIGHTS).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace warren::base {

struct Message {
    std::string bytes;
    std::vector<Fd> fds;  // close-on-exec, in the order they were sent
};

// The most descriptors that one message carries (the kernel's SCM_MAX_FD).
inline constexpr std::size_t kMaxMessageFds = 253;

[[nodiscard]] Result<std::pair<Fd, Fd>> seqpacket_pair();

// One message, whole or not at all. An empty one is refused (EINVAL): its receiver could not tell
// it from the end. No SIGPIPE; a peer that is gone is EPIPE. EAGAIN on a full non-blocking socket.
[[nodiscard]] Status send_message(int socket,
                                  std::string_view bytes,
                                  std::span<const int> fds = {});

// One message of at most `max_bytes` and `max_fds`; nullopt at the end of the stream. A message
// that is larger in either is consumed, what came of it is closed, and the error is EMSGSIZE; the
// same when this process has no descriptor numbers left. EAGAIN on an empty non-blocking socket.
[[nodiscard]] Result<std::optional<Message>> receive_message(int socket,
                                                             std::size_t max_bytes,
                                                             std::size_t max_fds);

// A listening socket named `name` (no '/') in the directory `dir`, with exactly the permissions
// `mode` less the umask from the start. EADDRINUSE when the name exists, even if nobody listens:
// the caller, who knows, removes it. Both go through /proc/self/fd, so the directory's own path may
// be longer than sun_path.
[[nodiscard]] Result<Fd> listen_at(int dir,
                                   const std::string& name,
                                   mode_t mode = 0600,
                                   int backlog = 128);
[[nodiscard]] Result<Fd> connect_at(int dir, const std::string& name);
// Waits for the next connection, close-on-exec.
[[nodiscard]] Result<Fd> accept_connection(int listener);

struct PeerCredentials {
    pid_t pid = 0;  // 0 when the peer is outside of our pid namespace
    uid_t uid = 0;
    gid_t gid = 0;
    bool operator==(const PeerCredentials&) const = default;
};

// Who connected (or made the pair), by SO_PEERCRED: as of that moment, so the pid may be another's
// by now.
[[nodiscard]] Result<PeerCredentials> peer_credentials(int socket);

}  // namespace warren::base
