// JSON texts of the OCI runtime specification to values. Pure.
//
// What is wrong in the text itself is refused here, with one error whose place() is the JSON pointer
// of the member ("/process/user/uid"; "byte N" where it is no JSON): wrong types, numbers out of
// their range, unknown words where the spec lists the words, a missing member that an object cannot
// be without, strings with a NUL byte, names and paths with a control character in them, duplicate keys, nesting
// deeper than 64, more than kMaxDocument bytes. What needs more than one member, or the spec's rules
// about paths, is for check.hpp. The error's kind is Usage.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "cgroups/resources.hpp"
#include "runtime/spec/oci/config.hpp"

namespace warren::spec::oci {

// Engines' configs have 10 to 100 KiB; an environment and annotations can make it more.
inline constexpr std::size_t kMaxDocument = 4U << 20;

// config.json. `name` leads the error's text: "config.json: /process/cwd: ...".
[[nodiscard]] base::Result<Config> parse_config(std::string_view text,
                                                const std::string& name = "config.json");
// `exec --process FILE`: the value of /process alone; pointers start at its root ("/user/uid").
[[nodiscard]] base::Result<Process> parse_process(std::string_view text,
                                                  const std::string& name = "process");
// `update --resources FILE`: the value of /linux/resources alone.
[[nodiscard]] base::Result<cgroups::Resources> parse_resources(
    std::string_view text, const std::string& name = "resources");

// "RLIMIT_NOFILE" -> its number; and the words `features` lists.
[[nodiscard]] base::Result<int> parse_rlimit_name(std::string_view name);
// "0-3,7" -> 0 1 2 3 7, each at most `highest`. cpuset(7) "List format".
[[nodiscard]] base::Result<std::vector<std::uint32_t>> parse_number_list(std::string_view text,
                                                                         std::uint32_t highest);

}  // namespace warren::spec::oci
