#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/fd.hpp"
#include "runtime/engine/oci/engine.hpp"
#include "runtime/spec/oci/default_config.hpp"

namespace warren::engine::oci {

base::Status Engine::spec(const SpecRequest& request) const {
    spec::oci::DefaultConfigOptions options;
    options.rootless = request.rootless;
    options.uid = ::geteuid();
    options.gid = ::getegid();
    const auto text = base::dump_json(spec::oci::default_config(options), 4) + "\n";
    const auto bundle = TRY(base::open_dir(AT_FDCWD, request.bundle));
    auto file = base::open_at(bundle.get(), "config.json", O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (!file && file.error().error_number() == EEXIST) {
        return base::Error(base::ErrorKind::Exists,
                           "spec: " + request.bundle + "/config.json exists already");
    }
    const auto config = TRY(std::move(file));
    return base::write_all(config.get(), text, "config.json");
}

}  // namespace warren::engine::oci
