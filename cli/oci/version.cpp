#include "cli/oci/version.hpp"

#include "runtime/spec/oci/config.hpp"

namespace warren::cli::oci {

std::string version_text() {
    return "warren-oci version " WARREN_VERSION "\ncommit: " WARREN_COMMIT "\nspec: " +
           std::string(spec::oci::kOciVersion) + "\n";
}

}  // namespace warren::cli::oci
