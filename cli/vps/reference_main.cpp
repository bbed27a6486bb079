// warren-reference TEMPLATE: a man page or completion script with its tables filled in. Used by the build only.
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "cli/common/console.hpp"
#include "cli/vps/reference.hpp"

namespace {

warren::base::Status print_filled(const std::string& path) {
    const std::string text = TRY(warren::base::read_file_at(AT_FDCWD, path));
    const std::string filled =
        TRY(warren::base::with_context(warren::cli::fill_reference(text), path));
    return warren::base::write_all(STDOUT_FILENO, filled, "standard output");
}

}  // namespace

int main(int argc, char** argv) {
    warren::cli::Console console("warren-reference", {});
    if (argc != 2) {
        console.error("", "name one template");
        return 2;
    }
    const warren::base::Status status = print_filled(argv[1]);
    if (!status) {
        console.error("", status.error());
        return 1;
    }
    return 0;
}
