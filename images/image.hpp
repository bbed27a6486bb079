// Images: named, read-only root trees. An image is a tree of hard links into one content-addressed
// object store, so equal files of two images are one inode: one copy on disk and one in the page
// cache.
//
//   DATA/objects/ab/<sha256>     regular files, named by content, owner, mode, mtime and extended
//   attributes DATA/images/NAME/image.json  what it is DATA/images/NAME/root/       the tree
//   (directories, links, nodes are its own; files are links to objects) DATA/images/.tmp-* an
//   import under way; a free lock marks it as left behind, and the next import removes it
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace warren::images {

enum class InitSystem : std::uint8_t { None, Systemd, Sysvinit, Openrc, Runit, Busybox, Unknown };
[[nodiscard]] std::string_view name(InitSystem init);
[[nodiscard]] base::Result<InitSystem> parse_init_system(std::string_view text);

struct ImageInfo {
    base::Name name;
    std::string created;            // RFC 3339
    std::string source;             // "build debian:12", "import FILE"
    std::string os_id, os_version;  // of the tree's os-release, printable
    std::string architecture;       // "amd64"
    InitSystem init = InitSystem::None;
    std::string init_path;  // "/sbin/init"; empty when there is none
    std::uint64_t entries = 0, files = 0;
    std::uint64_t bytes = 0;         // apparent size of the files
    std::uint64_t shared_bytes = 0;  // of these, already in the store at import
};

[[nodiscard]] base::Json to_json(const ImageInfo& info);

// Bounds on what an archive may make of us.
struct ImportLimits {
    std::uint64_t entries = 4'000'000;
    std::uint64_t total_bytes = 256ULL << 30;
    std::uint64_t file_bytes = 64ULL << 30;
    std::uint32_t name_bytes = 255;
    std::uint32_t path_bytes = 4096;
    std::uint32_t depth = 256;
    std::uint32_t xattr_bytes = 65536;  // per entry
};

// Called now and then with bytes (or entries) done; for the progress display.
using Progress = std::function<void(std::string_view phase, std::uint64_t done)>;

struct BuildRequest {
    std::string template_name;         // "debian:12", "ubuntu:24.04", "busybox"
    std::optional<InitSystem> init;    // absent: the distribution's own
    std::vector<std::string> include;  // further packages
};

struct VerifyProblem {
    std::string image;
    std::string path;
    std::string text;
};

class ImageStore {
public:
    // `data` is the directory of --root; makes objects/ and images/ when absent (0700 root; the
    // trees themselves keep their modes).
    // -1, for a --root that does not exist yet: an empty store, to look at only.
    [[nodiscard]] static base::Result<ImageStore> open(int data);

    [[nodiscard]] base::Result<std::vector<ImageInfo>> list() const;
    [[nodiscard]] base::Result<ImageInfo> load(const base::Name& name) const;
    [[nodiscard]] base::Result<bool> exists(const base::Name& name) const;
    // The tree, O_PATH|O_DIRECTORY.
    [[nodiscard]] base::Result<base::Fd> open_root(const base::Name& name) const;
    // Import from a tar stream (any compression) or a directory. All or nothing; Exists when the
    // name is taken.
    [[nodiscard]] base::Result<ImageInfo> import_archive(const base::Name& name,
                                                         int fd,
                                                         const std::string& source,
                                                         const ImportLimits& limits,
                                                         const Progress& progress) const;
    [[nodiscard]] base::Result<ImageInfo> import_directory(const base::Name& name,
                                                           const std::string& path,
                                                           const ImportLimits& limits,
                                                           const Progress& progress) const;
    [[nodiscard]] base::Result<ImageInfo> build(const base::Name& name,
                                                const BuildRequest& request,
                                                const Progress& progress) const;
    // Removes the tree and the objects nothing links to any more. `may_remove` is asked once nobody
    // can start to use the image (who creates a guest holds lock_dir() shared); its error is
    // returned and nothing is changed.
    [[nodiscard]] base::Status remove(const base::Name& name,
                                      const std::function<base::Status()>& may_remove = {}) const;
    // Re-reads every file against its object's digest.
    [[nodiscard]] base::Result<std::vector<VerifyProblem>> verify(
        const std::optional<base::Name>& name, const Progress& progress) const;

    // Held shared while a guest is created from an image, exclusive by remove().
    [[nodiscard]] int lock_dir() const { return images_.get(); }

private:
    [[nodiscard]] base::Status set_aside(const base::Name& name,
                                         const std::string& temp,
                                         const std::function<base::Status()>& may_remove) const;
    [[nodiscard]] base::Result<ImageInfo> build_busybox(const base::Name& name,
                                                        const Progress& progress) const;
    [[nodiscard]] base::Status require_absent(const base::Name& name) const;

    ImageStore(base::Fd data, base::Fd images, base::Fd objects)
        : data_(std::move(data)), images_(std::move(images)), objects_(std::move(objects)) {}

    base::Fd data_, images_, objects_;
};

// The names `build` knows, for help, completion and error texts.
[[nodiscard]] std::vector<std::string> known_templates();

}  // namespace warren::images
