// The running program's own file, out of reach of a guest that shares the host's user ids (CVE-2019-5736).
//
// A guest's program may be a script of "#!/proc/self/exe" or a link to it: execve(2) then runs the file of the process
// that calls it, ours, inside the guest, where the guest's root finds it as /proc/PID/exe and can write to it once
// nobody runs it. With a user namespace of its own the guest's root is nobody to that file. Without one, the file must
// not be writable through that link: the program runs itself anew from a read-only detached mount of its own file.
#pragma once

#include "base/result.hpp"

namespace warren::isolation {

// Whether this process runs from a read-only mount.
[[nodiscard]] bool program_is_sealed();

// Replaces this process by the same program, arguments and environment, sealed; it starts over at main(). Returns at
// once when that has happened already, else only with an error. Call it before anything is changed, and before
// launching into or joining a guest without a user namespace. Linux 5.12.
[[nodiscard]] base::Status seal_program();

}  // namespace warren::isolation
