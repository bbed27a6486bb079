// A bundle's config.json, read once; and whether what it asks for puts our own program within reach of the container.
#pragma once

#include <string>

#include "base/result.hpp"
#include "runtime/engine/oci/engine.hpp"
#include "runtime/spec/oci/config.hpp"

namespace warren::engine::oci {

// What is to be made, read and judged; nothing is made yet.
struct Bundle {
    std::string path;  // absolute
    std::string text;  // config.json
    spec::oci::Config config;
};

// Whether the container has a new user namespace into which the host's root is not mapped. Of one that is joined nothing
// is known.
[[nodiscard]] bool shuts_out_host_root(const spec::oci::Config& config);
// Where it is not, the container's root may be the host's: our own program must be out of its reach (see
// isolation/sealed_program.hpp). May start this program over; call it before anything is made.
[[nodiscard]] base::Status seal_unless(const Settings& settings, bool host_root_shut_out);

[[nodiscard]] base::Result<Bundle> read_bundle(const std::string& path);
// The same, sealed where a container of this bundle needs it.
[[nodiscard]] base::Result<Bundle> read_bundle_sealed(const Settings& settings,
                                                      const std::string& path);

}  // namespace warren::engine::oci
