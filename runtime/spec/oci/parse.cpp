#include "runtime/spec/oci/parse.hpp"

#include <nlohmann/json.hpp>

#include "runtime/spec/oci/reading.hpp"

namespace warren::spec::oci {

namespace {

using base::Json;
using base::JsonReader;
using base::Result;

Result<std::optional<Root>> read_root(const JsonReader& config) {
    const auto reader = TRY(section(config, "root"));
    if (!reader) {
        return std::optional<Root>();
    }
    Root root;
    root.path = TRY(text(*reader, "path"));
    root.readonly = TRY(flag(*reader, "readonly"));
    return std::optional<Root>(std::move(root));
}

Result<Mount> read_mount(const JsonReader& reader) {
    Mount mount;
    mount.destination = TRY(reader.string("destination"));
    if (mount.destination.empty()) {
        return base::usage_error("expected a path, found an empty string")
            .with_place(place_of(reader, "destination"));
    }
    // Deprecated, but the specification says what it means.
    if (mount.destination.front() != '/') {
        mount.destination.insert(0, 1, '/');
    }
    mount.type = TRY(text(reader, "type"));
    mount.source = TRY(text(reader, "source"));
    mount.option_words = TRY(reader.strings("options"));
    auto options = parse_mount_options(mount.option_words);
    if (!options) {
        auto place = place_of(reader, "options") + options.error().place();
        return std::move(options).error().with_place(std::move(place));
    }
    mount.options = std::move(options).value();
    // Neither is a file system: older engines say it so.
    if (mount.type == "bind" || mount.type == "rbind") {
        mount.options.bind = true;
        mount.options.recursive_bind |= mount.type == "rbind";
    }
    mount.ids = TRY(read_id_map(reader));
    return mount;
}

Result<Hook> read_hook(const JsonReader& reader) {
    constexpr std::int64_t kMaxSeconds = std::numeric_limits<std::int32_t>::max();
    Hook hook;
    hook.path = TRY(reader.string("path"));
    hook.args = TRY(reader.strings("args"));
    hook.env = TRY(reader.strings("env"));
    if (const auto timeout = TRY(optional_integer_within(reader, "timeout", 1, kMaxSeconds))) {
        hook.timeout = static_cast<std::uint32_t>(*timeout);
    }
    return hook;
}

Result<std::vector<Hook>> read_hook_list(const JsonReader& hooks, const char* key) {
    std::vector<Hook> out;
    for (const auto& reader : TRY(hooks.objects(key))) {
        out.push_back(TRY(read_hook(reader)));
    }
    return out;
}

Result<Hooks> read_hooks(const JsonReader& config) {
    const auto reader = TRY(config.object("hooks"));
    Hooks hooks;
    hooks.prestart = TRY(read_hook_list(reader, "prestart"));
    hooks.create_runtime = TRY(read_hook_list(reader, "createRuntime"));
    hooks.create_container = TRY(read_hook_list(reader, "createContainer"));
    hooks.start_container = TRY(read_hook_list(reader, "startContainer"));
    hooks.poststart = TRY(read_hook_list(reader, "poststart"));
    hooks.poststop = TRY(read_hook_list(reader, "poststop"));
    return hooks;
}

Result<Config> read_config(const JsonReader& reader) {
    Config config;
    config.oci_version = TRY(reader.string("ociVersion"));
    if (const auto process = TRY(section(reader, "process"))) {
        config.process = TRY(read_process(*process));
        config.process_text = base::dump_json(process->value());
    }
    config.root = TRY(read_root(reader));
    config.hostname = TRY(line(reader, "hostname"));
    config.domainname = TRY(line(reader, "domainname"));
    for (const auto& mount : TRY(reader.objects("mounts"))) {
        config.mounts.push_back(TRY(read_mount(mount)));
    }
    config.hooks = TRY(read_hooks(reader));
    config.annotations = TRY(reader.string_map("annotations"));
    config.linux = TRY(read_linux(TRY(reader.object("linux"))));
    config.wants_vm = TRY(section(reader, "vm")).has_value();
    return config;
}

// Parses the text and reads it; the document's name leads every error.
template <typename T>
Result<T> read_document(std::string_view text,
                        const std::string& name,
                        Result<T> (*read)(const JsonReader&)) {
    const Json json = TRY(base::parse_json(text, name, kMaxDocument));
    const auto reader = TRY(base::with_context(JsonReader::of(json), name));
    return base::with_context(read(reader), name);
}

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& name) {
    return read_document(text, name, read_config);
}

Result<Process> parse_process(std::string_view text, const std::string& name) {
    return read_document(text, name, read_process);
}

Result<cgroups::Resources> parse_resources(std::string_view text, const std::string& name) {
    return read_document(text, name, read_resources);
}

}  // namespace warren::spec::oci
