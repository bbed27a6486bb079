// warren-oci: containers for the engines, by the command line they know.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include "cli/oci/verb.hpp"

namespace {

// Empty when the directory is gone: then relative paths lead nowhere, as they should.
std::string working_directory() {
    const std::unique_ptr<char, decltype(&std::free)> path(get_current_dir_name(), &std::free);
    return path == nullptr ? "" : path.get();
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    warren::cli::Console console("warren-oci", warren::cli::Console::probe());
    return warren::cli::oci::run_program(words, console, working_directory());
}
