// The distributions that can be built, and what a machine of each is made of. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "images/image.hpp"

namespace warren::images {

enum class Family : std::uint8_t { Debian, Ubuntu, Busybox };

struct Template {
    Family family = Family::Debian;
    std::string name;   // "debian:12"
    std::string suite;  // "bookworm"
};

[[nodiscard]] base::Result<Template> find_template(const std::string& name);

// Where packages come from: the archive and its security updates.
struct Mirrors {
    std::string archive;
    std::string security;
};

// sources.list(5). `keyring` is for building only: inside an image apt has its own.
[[nodiscard]] std::vector<std::string> source_lines(const Template& wanted,
                                                    const Mirrors& mirrors,
                                                    const std::string& keyring);

// Init, and what a machine needs beside the distribution's minimal set.
[[nodiscard]] base::Result<std::vector<std::string>> machine_packages(const Template& wanted,
                                                                      InitSystem init);

// Package names from outside, before they become part of a command line.
[[nodiscard]] base::Status check_package_name(const std::string& name);

[[nodiscard]] std::vector<std::string> mmdebstrap_arguments(
    const Template& wanted,
    const std::vector<std::string>& packages,
    const std::vector<std::string>& sources);

}  // namespace warren::images
