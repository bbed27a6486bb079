#include "isolation/sealed_program.hpp"

#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "isolation/child/seal_calls.hpp"

namespace warren::isolation {

namespace {

base::Result<std::vector<std::string>> own_arguments() {
    constexpr std::size_t kLimit = 8U << 20;
    const auto text = TRY(base::read_file_at(AT_FDCWD, "/proc/self/cmdline", kLimit));
    std::vector<std::string> arguments;
    for (std::size_t at = 0; at < text.size();) {
        arguments.emplace_back(text.c_str() + at);
        at += arguments.back().size() + 1;
    }
    return arguments;
}

const char* words(child::SealStep step) {
    switch (step) {
        case child::SealStep::CloneMount:
            return "seal the program: clone the mount of its file";
        case child::SealStep::MakeReadOnly:
            return "seal the program: make its file read-only";
        case child::SealStep::Run:
            break;
    }
    return "seal the program: run it anew";
}

}  // namespace

bool program_is_sealed() {
    return child::runs_sealed();
}

base::Status seal_program() {
    if (program_is_sealed()) {
        return base::ok();
    }
    auto arguments = TRY(own_arguments());
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (auto& argument : arguments) {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    const auto failure = child::exec_sealed(argv.data(), ::environ);
    return base::errno_error(failure.error_number, words(failure.step));
}

}  // namespace warren::isolation
