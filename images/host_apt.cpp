#include "images/host_apt.hpp"

#include <algorithm>

#include <sys/utsname.h>

#include "images/lines.hpp"
#include "images/program.hpp"

namespace warren::images {
namespace {

// Asking is all there is to it: without apt, or with a broken one, nothing is known.
std::string ask(std::vector<std::string> arguments) {
    Program program;
    program.arguments = std::move(arguments);
    program.package = "apt";
    auto text = run_program(program);
    return text ? std::move(text).value() : std::string();
}

}  // namespace

std::string index_targets() {
    return ask({"apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)"});
}

std::vector<std::string> proxy_options() {
    std::vector<std::string> out;
    for (const char* key : {"Acquire::http::Proxy", "Acquire::https::Proxy"}) {
        const std::string text = ask({"apt-config", "dump", "--format", "%f \"%v\"%n", key});
        for_each_line(text, [&](const std::string& line) {
            if (line.starts_with(std::string(key)) && !line.ends_with(" \"\"")) {
                out.push_back(line);
            }
        });
    }
    return out;
}

std::string host_architecture() {
    std::string text = ask({"dpkg", "--print-architecture"});
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    if (!text.empty()) {
        return text;
    }

    struct utsname name {};

    return uname(&name) == 0 && std::string(name.machine) == "aarch64" ? "arm64" : "amd64";
}

}  // namespace warren::images
