// The parts of check_config(): each looks at one section and appends what is wrong with it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/spec/oci/check.hpp"

namespace warren::spec::oci {

using Problems = std::vector<Problem>;

void add(Problems& problems, std::string pointer, std::string text);
// Well-formed, but never done here.
void add_unsupported(Problems& problems, std::string pointer, std::string text);
void require_absolute(Problems& problems, const std::string& path, const std::string& pointer);
void require_all_absolute(Problems& problems,
                          const std::vector<std::string>& paths,
                          const std::string& pointer);

void check_mounts(const Config& config, Problems& problems);
void check_linux(const Config& config, Problems& problems);
void check_sysctl(const Linux& linux, Problems& problems);

}  // namespace warren::spec::oci
