// warren-reference TEMPLATE: a man page or completion script with its tables filled in. Used by the build only.
#include "cli/common/console.hpp"
#include "cli/common/exit_code.hpp"
#include "cli/common/manual.hpp"
#include "cli/vps/reference.hpp"

int main(int argc, char** argv) {
    constexpr const char* kProgram = "warren-reference";
    if (argc != 2) {
        warren::cli::Console(kProgram, {}).error("", "name one template");
        return warren::cli::kExitUsage;
    }
    return warren::cli::print_filled_template(kProgram, argv[1], warren::cli::fill_reference);
}
