// warren: guests from a command line.
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include "cli/vps/verb.hpp"

namespace {

std::optional<std::string> environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// Empty when the directory is gone: then relative paths lead nowhere, as they should.
std::string working_directory() {
    const std::unique_ptr<char, decltype(&std::free)> path(get_current_dir_name(), &std::free);
    return path == nullptr ? "" : path.get();
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    warren::cli::Console console("warren", warren::cli::Console::probe());
    return warren::cli::run_program(
        words, console, environment, working_directory(), geteuid() == 0);
}
