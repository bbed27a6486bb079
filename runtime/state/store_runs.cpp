// Records of what runs: void after a reboot, gone when the guest has stopped.
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "runtime/state/files.hpp"
#include "runtime/state/store.hpp"

namespace warren::state {

namespace {

using base::Durability;
using base::Error;
using base::ErrorKind;
using base::Fd;
using base::Name;
using base::Result;
using base::Status;

constexpr mode_t kRunMode = 0600;
constexpr std::string_view kSuffix = ".json";

std::string file_name(const Name& name) {
    return name.str() + std::string(kSuffix);
}

Result<RunRecord> run_record_of(const std::string& text, const Name& name, Extra extra) {
    const auto json = TRY(base::parse_json(text, file_name(name), kMaxRecord));
    auto record = TRY(run_record_from_json(json, extra));
    if (record.name != name.str()) {
        return base::usage_error("the record of another guest, \"" + record.name + "\"")
            .with_place("/name");
    }
    return record;
}

}  // namespace

Result<std::optional<RunRecord>> Store::load_run(const Name& name, Extra extra) const {
    const auto path = paths_.run + "/guests/" + file_name(name);
    const auto file = TRY(open_record(AT_FDCWD, path));
    if (!file) {
        return std::optional<RunRecord>();
    }
    const auto text = read_record(file->get(), kMaxRecord, path);
    if (!text && text.error().error_number() != EFBIG) {
        return text.error();
    }
    auto record = text ? run_record_of(text.value(), name, extra) : Result<RunRecord>(text.error());
    if (record) {
        return std::optional(std::move(record).value());
    }
    if (record.error().kind() == ErrorKind::Unsupported) {
        return std::move(record).error().with_context("read the run record of guest " + name.str());
    }
    return set_run_aside(name, text ? text.value() : "", record.error());
}

// RUN is on another file system, so the text is copied and the file removed.
Error Store::set_run_aside(const Name& name, const std::string& text, const Error& why) const {
    const auto path = paths_.run + "/guests/" + file_name(name);
    const auto what =
        "the run record of guest " + name.str() + " cannot be read (" + why.describe() + ")";
    const auto kept = name.str() + ".run." + base::format_time_now() + std::string(kSuffix);
    const auto moved = [&]() -> Status {
        const int root = TRY(require_root());
        TRY(base::make_dirs(root, "corrupt", 0700));
        TRY(base::replace_file_at(root, "corrupt/" + kept, text, kRunMode, Durability::Volatile));
        return base::remove_file_at(AT_FDCWD, path);
    }();
    if (!moved) {
        return Error(ErrorKind::Corrupt, what + " and could not be set aside")
            .with_secondary(Error(moved.error()).with_context(paths_.root));
    }
    return {ErrorKind::Corrupt, what + " and was set aside as " + paths_.root + "/corrupt/" + kept};
}

Status Store::save_run(const RunRecord& record) const {
    const auto name = TRY(Name::parse_guest(record.name));
    const auto context = "save the run record of guest " + name.str();
    const auto text = TRY(base::with_context(record_text(to_json(record)), context));
    return replace_in_run("guests", file_name(name), text);
}

Status Store::replace_in_run(const char* part,
                             const std::string& file,
                             const std::string& text) const {
    for (int tries = 1;; ++tries) {
        const Fd dir = TRY(open_run(part));
        auto saved = base::replace_file_at(dir.get(), file, text, kRunMode, Durability::Volatile);
        // ENOENT: the directory was removed as empty between our opening it and making the file.
        if (saved || saved.error().error_number() != ENOENT || tries == kMaxVanished) {
            return base::with_context(std::move(saved), paths_.run + "/" + part);
        }
    }
}

Status Store::remove_run(const Name& name) const {
    const auto path = paths_.run + "/guests/" + file_name(name);
    TRY(base::remove_file_at(AT_FDCWD, path));
    return base::remove_file_at(AT_FDCWD, path + ".tmp");
}

Result<std::vector<Name>> Store::run_names() const {
    return guests_with_files(paths_.run + "/guests", kSuffix);
}

}  // namespace warren::state
