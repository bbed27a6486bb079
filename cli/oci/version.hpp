// What --version prints.
#pragma once

#include <string>

namespace warren::cli::oci {

// Lines as engines read them: "warren-oci version X", "commit: X", "spec: X".
[[nodiscard]] std::string version_text();

}  // namespace warren::cli::oci
