// A container's own directory: its record, its config, its socket.
#include <algorithm>
#include <memory>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "runtime/state/oci/files.hpp"
#include "runtime/state/oci/store.hpp"

namespace warren::state::oci {

namespace {

using base::Fd;
using base::Result;
using base::Status;

constexpr const char* kRecord = "state.json";
constexpr const char* kCorrupt = "state.json.corrupt";
constexpr const char* kConfig = "config.json";
constexpr const char* kExec = "exec.json";
constexpr mode_t kMode = 0600;
// A config of 4 MiB (spec::oci::kMaxDocument) may be all annotations, six bytes a byte when escaped.
constexpr std::size_t kMaxRecord = 32U << 20;
constexpr std::size_t kMaxConfig = 4U << 20;

struct DirCloser {
    void operator()(DIR* dir) const { (void)::closedir(dir); }
};

bool is_directory(int dir, const struct dirent& entry) {
    if (entry.d_type != DT_UNKNOWN) {
        return entry.d_type == DT_DIR;
    }
    struct stat info = {};
    return ::fstatat(dir, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

Result<std::optional<std::string>> read_optional(int at,
                                                 const std::string& name,
                                                 std::size_t limit) {
    // O_NONBLOCK: should something else than a file have the name, nobody waits for its other end.
    const auto fd = base::open_at(at, name, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    if (!fd) {
        if (fd.error().error_number() == ENOENT) {
            return std::optional<std::string>();
        }
        return fd.error();
    }
    return std::optional(TRY(base::read_all(fd.value().get(), limit, name)));
}

}  // namespace

Result<std::vector<std::string>> list_directories(int at) {
    Fd fd = TRY(base::open_dir(at, "."));
    const std::unique_ptr<DIR, DirCloser> dir(::fdopendir(fd.get()));
    if (!dir) {
        return base::errno_error("list directory");
    }
    (void)fd.release();
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const struct dirent* entry = ::readdir(dir.get());
        if (entry == nullptr) {
            if (errno != 0) {
                return base::errno_error("list directory");
            }
            return names;
        }
        const std::string_view name(entry->d_name);
        if (name != "." && name != ".." && is_directory(::dirfd(dir.get()), *entry)) {
            names.emplace_back(name);
        }
    }
}

base::Error ContainerDir::set_aside(const base::Error& why) const {
    auto moved = "container \"" + id_.str() + "\": its record is unreadable and set aside as " +
                 id_.str() + "/" + kCorrupt + " (" + why.describe() + ")";
    if (::renameat(fd_.get(), kRecord, fd_.get(), kCorrupt) != 0) {
        return base::Error(base::ErrorKind::Corrupt,
                           "container \"" + id_.str() + "\": its record is unreadable")
            .with_secondary(base::Error(why))
            .with_secondary(base::errno_error("rename " + std::string(kRecord)));
    }
    return {base::ErrorKind::Corrupt, std::move(moved)};
}

Result<std::optional<Record>> ContainerDir::load() const {
    const auto text =
        TRY(base::with_context(read_optional(fd_.get(), kRecord, kMaxRecord), id_.str()));
    if (!text) {
        if (TRY(base::exists_at(fd_.get(), kCorrupt))) {
            return base::Error(base::ErrorKind::Corrupt,
                               "container \"" + id_.str() +
                                   "\": its record was unreadable and set aside as " + id_.str() +
                                   "/" + kCorrupt);
        }
        return std::optional<Record>();
    }
    const auto json = base::parse_json(*text, kRecord, kMaxRecord);
    if (!json) {
        return set_aside(json.error());
    }
    auto record = record_from_json(json.value());
    if (!record) {
        if (record.error().kind() == base::ErrorKind::Unsupported) {
            return std::move(record).error().with_context("container \"" + id_.str() + "\"");
        }
        return set_aside(record.error());
    }
    if (record.value().id != id_.str()) {
        return set_aside(
            base::usage_error("the record of \"" + record.value().id + "\"").with_place("/id"));
    }
    return std::optional(std::move(record).value());
}

Status ContainerDir::save(const Record& record) const {
    constexpr int kIndent = 2;
    if (record.id != id_.str()) {
        return base::usage_error("save record: of \"" + record.id + "\", not of \"" + id_.str() +
                                 "\"");
    }
    const auto text = base::dump_json(to_json(record), kIndent) + "\n";
    if (text.size() > kMaxRecord) {
        return base::usage_error("save record: larger than " + std::to_string(kMaxRecord) +
                                 " bytes");
    }
    return base::with_context(
        base::replace_file_at(fd_.get(), kRecord, text, kMode, base::Durability::Volatile),
        id_.str());
}

Status ContainerDir::save_config(std::string_view text) const {
    return base::with_context(
        base::replace_file_at(fd_.get(), kConfig, text, kMode, base::Durability::Volatile),
        id_.str());
}

Result<std::string> ContainerDir::load_config() const {
    auto text = TRY(base::with_context(read_optional(fd_.get(), kConfig, kMaxConfig), id_.str()));
    if (!text) {
        return base::Error(base::ErrorKind::Corrupt,
                           "container \"" + id_.str() + "\": its " + kConfig + " is missing");
    }
    return std::move(*text);
}

Status ContainerDir::save_exec(const ExecRecord& record) const {
    return base::with_context(
        base::replace_file_at(
            fd_.get(), kExec, base::dump_json(to_json(record)), kMode, base::Durability::Volatile),
        id_.str());
}

Result<std::optional<ExecRecord>> ContainerDir::load_exec() const {
    const auto text =
        TRY(base::with_context(read_optional(fd_.get(), kExec, kMaxRecord), id_.str()));
    if (!text) {
        return std::optional<ExecRecord>();
    }
    const auto read = [&]() -> Result<std::optional<ExecRecord>> {
        const auto json = TRY(base::parse_json(*text, kExec, kMaxRecord));
        return exec_record_from_json(json);
    };
    auto record = read();
    if (!record) {
        return base::Error(base::ErrorKind::Corrupt,
                           "container \"" + id_.str() + "\": its " + kExec + " is unreadable (" +
                               record.error().describe() + ")");
    }
    return record;
}

Result<bool> ContainerDir::has_start_socket() const {
    return base::exists_at(fd_.get(), kStartSocket);
}

Status ContainerDir::remove_start_socket() const {
    return base::with_context(base::remove_file_at(fd_.get(), kStartSocket), id_.str());
}

Status ContainerDir::remove_content() const {
    auto names = TRY(base::list_dir(fd_.get(), "."));
    // The record goes last: a removal that is cut short is met again as one.
    std::stable_partition(names.begin(), names.end(), [](const std::string& name) {
        return name != kRecord && name != kCorrupt;
    });
    for (const auto& name : names) {
        TRY(base::remove_tree_at(fd_.get(), name));
    }
    return base::ok();
}

}  // namespace warren::state::oci
