// What the engines get from us beside an exit code: a terminal, a pidfd, a filter's listener, a pid.
#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace warren::engine::oci {

// A connected SOCK_STREAM socket; the path may be longer than sun_path.
[[nodiscard]] base::Result<base::Fd> connect_stream(const std::string& path);

// One message with one descriptor over a connected socket.
[[nodiscard]] base::Status send_descriptor(int socket, std::string_view text, int fd);

// Connects, sends, and closes.
[[nodiscard]] base::Status hand_over(const std::string& path, std::string_view text, int fd);

// Decimal digits, without a newline, readable by all; a reader sees all of it or nothing.
[[nodiscard]] base::Status write_pid_file(const std::string& path, pid_t pid);

}  // namespace warren::engine::oci
