#include "runtime/engine/oci/restore.hpp"

#include <sys/stat.h>

#include <nlohmann/json.hpp>

namespace warren::engine::oci {

namespace {

constexpr const char* kDescriptors = "descriptors.json";
constexpr std::size_t kDescriptorsMax = 1U << 16;

}  // namespace

base::Status save_descriptors(const Container& container, const std::string& images) {
    const std::string proc = "/proc/" + std::to_string(container.init->pid()) + "/fd/";
    base::Json names = base::Json::array();
    for (const char* number : {"0", "1", "2"}) {
        const auto name = base::read_link_at(AT_FDCWD, proc + number);
        names.push_back(name ? name.value() : std::string());
    }
    const auto directory = TRY(base::open_dir(AT_FDCWD, images));
    return base::replace_file_at(
        directory.get(), kDescriptors, base::dump_json(names), 0600, base::Durability::Volatile);
}

base::Result<std::vector<std::string>> load_descriptors(const std::string& images) {
    const auto text =
        TRY(base::read_file_at(AT_FDCWD, images + "/" + kDescriptors, kDescriptorsMax));
    const auto json = TRY(base::parse_json(text, kDescriptors));
    std::vector<std::string> names;
    if (!json.is_array()) {
        return base::usage_error(std::string(kDescriptors) + ": not an array");
    }
    for (const auto& name : json) {
        if (!name.is_string()) {
            return base::usage_error(std::string(kDescriptors) + ": not an array of strings");
        }
        names.push_back(name.get<std::string>());
    }
    return names;
}

base::Result<std::vector<std::string>> external_namespaces(const spec::oci::Config& config) {
    std::vector<std::string> out;
    for (const auto& entry : config.linux.namespaces) {
        if (entry.path.empty()) {
            continue;
        }
        const char* word = nullptr;
        if (entry.kind == isolation::Namespace::Net) {
            word = "net";
        } else if (entry.kind == isolation::Namespace::Pid) {
            word = "pid";
        } else {
            return base::Error(base::ErrorKind::Unsupported,
                               "criu cannot save a container that joined " + entry.path);
        }

        struct stat status {};

        if (::stat(entry.path.c_str(), &status) != 0) {
            return base::errno_error("look at " + entry.path);
        }
        out.push_back(std::string(word) + "[" + std::to_string(status.st_ino) + "]:warren-" + word);
    }
    return out;
}

}  // namespace warren::engine::oci
