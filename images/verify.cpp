#include <unordered_map>

#include <fcntl.h>

#include "base/json.hpp"
#include "images/image.hpp"
#include "images/objects.hpp"
#include "images/tree_walk.hpp"

namespace warren::images {
namespace {

// Reads every inode once, however many images link to it.
class Verifier {
public:
    Verifier(const Progress& progress, std::vector<VerifyProblem>& problems)
        : progress_(progress), problems_(problems) {}

    base::Status load_objects(int objects) {
        for (const std::string& group : TRY(base::list_dir(objects, "."))) {
            const base::Fd dir = TRY(base::open_dir(objects, group));
            for (const std::string& file : TRY(base::list_dir(dir.get(), "."))) {
                struct stat info {};

                if (fstatat(dir.get(), file.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
                    continue;
                }
                const std::string digest = digest_in_name(file);
                if (digest.empty() || !S_ISREG(info.st_mode)) {
                    problems_.push_back({"", "objects/" + group + "/" + file, "is no object"});
                } else {
                    digests_.emplace(info.st_ino, digest);
                }
            }
        }
        return base::ok();
    }

    base::Status verify_image(const ImageInfo& info, int root) {
        const std::string image = info.name.str();
        TRY(walk_tree(root,
                      [&](int parent,
                          const std::string& name,
                          const std::string& path,
                          const struct stat& file) -> base::Status {
                          if (S_ISREG(file.st_mode)) {
                              const std::string& text = verdict(parent, name, file);
                              if (!text.empty()) {
                                  problems_.push_back({image, path, text});
                              }
                          }
                          return base::ok();
                      }));
        const TreeCounts counts = TRY(count_tree(root));
        if (counts != TreeCounts{info.entries, info.files, info.bytes}) {
            problems_.push_back(
                {image,
                 "",
                 "has " + std::to_string(counts.entries) + " entries and " +
                     std::to_string(counts.bytes) + " bytes of files, was imported with " +
                     std::to_string(info.entries) + " and " + std::to_string(info.bytes)});
        }
        return base::ok();
    }

private:
    // Empty when the file is what its object's name says.
    const std::string& verdict(int parent, const std::string& name, const struct stat& file) {
        const auto known = verdicts_.find(file.st_ino);
        if (known != verdicts_.end()) {
            return known->second;
        }
        done_ += static_cast<std::uint64_t>(file.st_size);
        if (progress_) {
            progress_("verify", done_);
        }
        return verdicts_.emplace(file.st_ino, examine(parent, name, file)).first->second;
    }

    std::string examine(int parent, const std::string& name, const struct stat& file) const {
        const auto wanted = digests_.find(file.st_ino);
        if (wanted == digests_.end()) {
            return "is not in the object store";
        }
        const auto fd = base::open_at(parent, name, O_RDONLY | O_NOFOLLOW);
        if (!fd) {
            return fd.error().describe();
        }
        const auto found = digest_of_file(fd.value().get());
        if (!found) {
            return found.error().describe();
        }
        return found.value() == wanted->second ? "" : "differs from what was imported";
    }

    const Progress& progress_;
    std::vector<VerifyProblem>& problems_;
    std::uint64_t done_ = 0;
    std::unordered_map<ino_t, std::string> digests_;
    std::unordered_map<ino_t, std::string> verdicts_;
};

}  // namespace

base::Result<std::vector<VerifyProblem>> ImageStore::verify(const std::optional<base::Name>& name,
                                                            const Progress& progress) const {
    std::vector<ImageInfo> images;
    if (name) {
        images.push_back(TRY(load(*name)));
    } else {
        images = TRY(list());
    }
    std::vector<VerifyProblem> problems;
    Verifier verifier(progress, problems);
    TRY(verifier.load_objects(objects_.get()));
    for (const ImageInfo& info : images) {
        const auto root = open_root(info.name);
        if (!root) {
            problems.push_back({info.name.str(), "", root.error().describe()});
            continue;
        }
        const auto walked = verifier.verify_image(info, root.value().get());
        if (!walked) {
            problems.push_back({info.name.str(), "", walked.error().describe()});
        }
    }
    return problems;
}

}  // namespace warren::images
