#include "cli/common/exit_code.hpp"

#include "isolation/launcher.hpp"

namespace warren::cli {

int exit_code(const base::Error& error) {
    switch (error.kind()) {
        case base::ErrorKind::Usage:
        case base::ErrorKind::NotFound:
            return kExitUsage;
        case base::ErrorKind::Failed:
        case base::ErrorKind::Exists:
        case base::ErrorKind::Busy:
        case base::ErrorKind::Unsupported:
        case base::ErrorKind::Corrupt:
            return kExitFailed;
    }
    return kExitFailed;
}

int command_exit_code(const base::Error& error) {
    if (error.place() != isolation::kExecPlace) {
        return kExitOurs;
    }
    return error.kind() == base::ErrorKind::NotFound ? kExitNotFound : kExitCannotInvoke;
}

}  // namespace warren::cli
