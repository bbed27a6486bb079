#include "images/image_info.hpp"

#include <array>

#include <nlohmann/json.hpp>

namespace warren::images {
namespace {

constexpr std::uint64_t kSchemaVersion = 1;

struct InitName {
    InitSystem init;
    std::string_view name;
};

constexpr std::array kInitNames{
    InitName{InitSystem::None, "none"},
    InitName{InitSystem::Systemd, "systemd"},
    InitName{InitSystem::Sysvinit, "sysvinit"},
    InitName{InitSystem::Openrc, "openrc"},
    InitName{InitSystem::Runit, "runit"},
    InitName{InitSystem::Busybox, "busybox"},
    InitName{InitSystem::Unknown, "unknown"},
};

base::Result<ImageInfo> parse_fields(std::string_view text, const base::Name& name) {
    const base::Json json = TRY(base::parse_json(text, kImageFile));
    const base::JsonReader reader = TRY(base::JsonReader::of(json));
    if (TRY(reader.uint("schema_version")) > kSchemaVersion) {
        return base::fail("was written by a newer warren");
    }
    if (TRY(reader.string("name")) != name.str()) {
        return base::fail("names another image");
    }
    ImageInfo info{.name = name};
    info.created = TRY(reader.string("created"));
    info.source = TRY(reader.string("source"));
    info.os_id = TRY(reader.string("os_id"));
    info.os_version = TRY(reader.string("os_version"));
    info.architecture = TRY(reader.string("architecture"));
    info.init = TRY(parse_init_system(TRY(reader.string("init"))));
    info.init_path = TRY(reader.string("init_path"));
    info.entries = TRY(reader.uint("entries"));
    info.files = TRY(reader.uint("files"));
    info.bytes = TRY(reader.uint("bytes"));
    info.shared_bytes = TRY(reader.uint("shared_bytes"));
    return info;
}

}  // namespace

std::string_view name(InitSystem init) {
    for (const InitName& known : kInitNames) {
        if (known.init == init) {
            return known.name;
        }
    }
    return "unknown";
}

base::Result<InitSystem> parse_init_system(std::string_view text) {
    for (const InitName& known : kInitNames) {
        if (known.name == text) {
            return known.init;
        }
    }
    return base::usage_error("unknown init system \"" + base::printable(text) +
                             "\": known are systemd, sysvinit, openrc, runit, busybox");
}

base::Json to_json(const ImageInfo& info) {
    return base::Json{
        {"name", info.name.str()},
        {"created", info.created},
        {"source", info.source},
        {"os_id", info.os_id},
        {"os_version", info.os_version},
        {"architecture", info.architecture},
        {"init", name(info.init)},
        {"init_path", info.init_path},
        {"entries", info.entries},
        {"files", info.files},
        {"bytes", info.bytes},
        {"shared_bytes", info.shared_bytes},
    };
}

std::string dump_image_file(const ImageInfo& info) {
    base::Json json{{"schema_version", kSchemaVersion}};
    json.update(to_json(info));
    return base::dump_json(json, 2) + "\n";
}

base::Result<ImageInfo> parse_image_file(std::string_view text, const base::Name& name) {
    auto info = parse_fields(text, name);
    if (info) {
        return info;
    }
    return base::Error(base::ErrorKind::Corrupt,
                       "read image " + name.str() + ": " + info.error().describe());
}

}  // namespace warren::images
