#include "images/debian_package.hpp"

#include <algorithm>

#include <fcntl.h>

#include "images/archive_reader.hpp"
#include "images/distribution.hpp"
#include "images/mirrors.hpp"
#include "images/program.hpp"

namespace warren::images {
namespace {

constexpr const char* kSuite = "trixie";
constexpr const char* kKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
constexpr std::uint64_t kMaxFile = 64U << 20U;
constexpr std::uint64_t kMaxPackage = 1U << 30U;

std::vector<std::string> apt_command(std::vector<std::string> words) {
    const std::string state = std::string(kScratchPath) + "/apt";
    std::vector<std::string> out{"apt-get", "-qq"};
    const auto option = [&out](const std::string& text) {
        out.emplace_back("-o");
        out.push_back(text);
    };
    option("Dir::State=" + state);
    option("Dir::State::status=/dev/null");
    option("Dir::Cache=" + state);
    option("Dir::Etc::SourceList=" + state + "/sources.list");
    option("Dir::Etc::SourceParts=/dev/null");
    option("Acquire::Languages=none");
    option("Acquire::Retries=3");
    // Into a directory that only root enters; what arrives is checked all the same.
    option("APT::Sandbox::User=root");
    out.insert(out.end(), words.begin(), words.end());
    return out;
}

base::Status download(int scratch, const std::string& package) {
    if (!TRY(base::exists_at(AT_FDCWD, kKeyring))) {
        return base::Error(base::ErrorKind::Unsupported,
                           std::string("fetch ") + package +
                               ": the keyring of Debian is missing (apt-get install "
                               "debian-archive-keyring)");
    }
    TRY(base::make_dirs(scratch, "apt/lists/partial", 0755));
    TRY(base::make_dirs(scratch, "apt/archives/partial", 0755));
    const Mirrors mirrors = TRY(choose_mirrors(Family::Debian, ""));
    const std::string source = std::string("deb [signed-by=") + kKeyring + "] " + mirrors.archive +
                               " " + kSuite + " main\n";
    TRY(base::replace_file_at(
        scratch, "apt/sources.list", source, 0644, base::Durability::Volatile));
    Program program{.scratch = scratch, .package = "apt"};
    program.arguments = apt_command({"update"});
    TRY(run_program(program));
    // Not `download`, which writes to the working directory.
    program.arguments = apt_command(
        {"--download-only", "--no-install-recommends", "--reinstall", "-y", "install", package});
    TRY(run_program(program));
    return base::ok();
}

std::string without_dot(std::string path) {
    while (path.starts_with("./") || path.starts_with("/")) {
        path.erase(0, path.find('/') + 1);
    }
    return path;
}

base::Result<std::string> read_member(ArchiveReader& archive, const Entry& entry) {
    if (entry.type != EntryType::File || entry.size > kMaxFile) {
        return base::fail(entry_label(entry.path) + ": is no file, or too large");
    }
    std::string content(entry.size, '\0');
    while (auto chunk = TRY(archive.read())) {
        if (chunk->offset > content.size() ||
            chunk->bytes.size() > content.size() - chunk->offset) {
            return base::fail(entry_label(entry.path) + ": is larger than announced");
        }
        std::transform(chunk->bytes.begin(),
                       chunk->bytes.end(),
                       content.begin() + static_cast<std::ptrdiff_t>(chunk->offset),
                       [](std::byte b) { return static_cast<char>(b); });
    }
    return content;
}

}  // namespace

base::Result<std::string> fetch_package_file(int scratch,
                                             const std::string& package,
                                             const std::string& path) {
    TRY(download(scratch, package));
    std::string file;
    for (const std::string& name : TRY(base::list_dir(scratch, "apt/archives"))) {
        if (name.starts_with(package + "_") && name.ends_with(".deb")) {
            file = name;
        }
    }
    if (file.empty()) {
        return base::fail("fetch " + package + ": apt-get brought no package");
    }
    Program program{.scratch = scratch, .package = "dpkg"};
    program.arguments = {
        "dpkg-deb", "--fsys-tarfile", std::string(kScratchPath) + "/apt/archives/" + file};
    RunningProgram running = TRY(RunningProgram::start(program));
    auto archive = TRY(ArchiveReader::open(running.output(), kMaxPackage));
    std::optional<std::string> content;
    while (auto entry = TRY(archive->next())) {
        if (without_dot(entry->path) == path) {
            content = TRY(read_member(*archive, *entry));
        }
    }
    TRY(running.wait());
    if (!content) {
        return base::fail("fetch " + package + ": it has no " + path);
    }
    return std::move(*content);
}

}  // namespace warren::images
