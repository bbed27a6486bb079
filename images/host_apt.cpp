#include "images/host_apt.hpp"

#include <cstdlib>

#include <sys/utsname.h>

#include "images/program.hpp"

namespace warren::images {
namespace {

std::string environment(const std::string& name) {
    const char* value = getenv(name.c_str());
    return value == nullptr ? std::string() : std::string(value);
}

// Asking is all there is to it: without apt, or with a broken one, nothing is known.
std::string ask(std::vector<std::string> arguments) {
    Program program;
    program.arguments = std::move(arguments);
    program.package = "apt";
    auto text = run_program(program);
    return text ? std::move(text).value() : std::string();
}

template <typename F>
void for_each_line(const std::string& text, const F& call) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        call(text.substr(at, end - at));
        at = end + 1;
    }
}

void fill(std::string& mirror, const std::string& with) {
    if (mirror.empty()) {
        mirror = with;
    }
}

}  // namespace

Mirrors parse_index_targets(const std::string& text, Family family) {
    Mirrors found;
    for_each_line(text, [&](const std::string& line) {
        const std::size_t space = line.find(' ');
        if (space == std::string::npos) {
            return;
        }
        const std::string label = line.substr(0, space);
        std::string uri = line.substr(space + 1);
        while (uri.ends_with('/')) {
            uri.pop_back();
        }
        if (family != Family::Ubuntu && label == "Debian") {
            fill(found.archive, uri);
        } else if (family != Family::Ubuntu && label == "Debian-Security") {
            fill(found.security, uri);
        } else if (family == Family::Ubuntu && label == "Ubuntu") {
            fill(found.archive, uri);
        }
    });
    return found;
}

Mirrors choose_mirrors(Family family, const std::string& architecture) {
    const std::string prefix = family == Family::Ubuntu ? "WARREN_UBUNTU_" : "WARREN_DEBIAN_";
    Mirrors mirrors{environment(prefix + "MIRROR"), environment(prefix + "SECURITY_MIRROR")};
    const Mirrors host = parse_index_targets(
        ask({"apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)"}), family);
    const Mirrors own = own_mirrors(family, architecture);
    fill(mirrors.archive, host.archive);
    fill(mirrors.archive, own.archive);
    fill(mirrors.security, host.security);
    fill(mirrors.security, own.security);
    return mirrors;
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
