#include "runtime/engine/oci/bundle.hpp"

#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.hpp"
#include "isolation/sealed_program.hpp"
#include "runtime/engine/oci/host.hpp"
#include "runtime/engine/oci/user_namespace_search.hpp"
#include "runtime/spec/oci/check.hpp"
#include "runtime/spec/oci/parse.hpp"

namespace warren::engine::oci {

using isolation::Namespace;

namespace {

// A fifo in its place would keep us waiting for ever.
base::Result<std::string> read_config(int bundle) {
    const auto file = TRY(base::open_at(bundle, "config.json", O_RDONLY | O_NONBLOCK | O_NOCTTY));

    struct stat status {};

    if (::fstat(file.get(), &status) != 0) {
        return base::errno_error("look at config.json");
    }
    if (!S_ISREG(status.st_mode)) {
        return base::usage_error("config.json is not a regular file");
    }
    return base::read_all(file.get(), spec::oci::kMaxDocument, "config.json");
}

base::Result<Bundle> open_bundle(const std::string& path) {
    Bundle bundle;
    const auto dir = TRY(base::open_dir(AT_FDCWD, path));
    bundle.path = TRY(base::read_link_at(AT_FDCWD, base::proc_fd_path(dir.get())));
    bundle.text = TRY(read_config(dir.get()));
    return bundle;
}

base::Status parse(Bundle& bundle) {
    bundle.config = TRY(spec::oci::parse_config(bundle.text));
    return base::with_context(spec::oci::to_status(spec::oci::check_config(bundle.config)),
                              "config.json");
}

bool may_name_user_namespace(std::string_view text) {
    UserNamespaceSearch search;
    search.feed(text.data(), text.size());
    return search.found();
}

}  // namespace

bool shuts_out_host_root(const spec::oci::Config& config) {
    const auto& uids = config.linux.ids.uids;
    return config.linux.is_new(Namespace::User) &&
           std::none_of(
               uids.begin(), uids.end(), [](const auto& range) { return range.outside == 0; });
}

base::Status seal_unless(const Settings& settings, bool host_root_shut_out) {
    if (host_root_shut_out || is_rootless(settings)) {
        return base::ok();
    }
    return isolation::seal_program();
}

base::Result<Bundle> read_bundle(const std::string& path) {
    auto bundle = TRY(open_bundle(path));
    TRY(parse(bundle));
    return bundle;
}

base::Result<Bundle> read_bundle_sealed(const Settings& settings, const std::string& path) {
    auto bundle = TRY(open_bundle(path));
    if (isolation::program_is_sealed()) {
        TRY(parse(bundle));
        return bundle;
    }
    // What starts over had better not have parsed yet. entry.cpp would have done it, had it known how.
    TRY(seal_unless(settings, may_name_user_namespace(bundle.text)));
    TRY(parse(bundle));
    TRY(seal_unless(settings, shuts_out_host_root(bundle.config)));
    return bundle;
}

}  // namespace warren::engine::oci
