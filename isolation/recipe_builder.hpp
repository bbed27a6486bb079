// Writes recipes: one typed function per op, so that a step's operands cannot be mixed up. Strings, arrays and blobs
// are copied into the recipe, whose steps point to them. A `site` is the step in words, with its place in the
// configuration: "mounts[3]: mount proc on /proc".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "isolation/recipe.hpp"

namespace warren::isolation {

class RecipeBuilder {
public:
    // Descriptors 0..released_slots-1 come with the release; 0 when none are needed.
    void wait_release(std::uint32_t released_slots);
    void set_non_dumpable();
    void new_keyring();
    void unshare_cgroup();
    void setsid();
    void set_hostname(const std::string& name);
    void netlink_request(std::string site, const std::vector<std::byte>& request);
    void private_propagation();
    void attach_root(std::uint32_t slot, const std::string& staging_dir);
    void pivot_root(std::uint32_t slot);

    struct FileSystem {
        std::string type;
        std::vector<std::pair<std::string, std::string>> options;
        std::uint64_t attributes = 0;
    };

    void open_file_system(std::string site,
                          std::uint32_t slot,
                          const FileSystem& fs,
                          bool optional);
    // `flags`: child::kDirectory, kNoSymlinks, kOptional. The path is normal and absolute.
    void make_target(std::string site, const std::string& path, std::uint16_t flags);
    // `flags`: child::kRecursive, kOptional. Onto the target made last.
    void attach_mount(std::string site,
                      std::uint32_t slot,
                      std::uint64_t attributes,
                      std::uint16_t flags);
    void mask_path(std::string site, const std::string& path);
    void readonly_path(std::string site, const std::string& path);
    void readonly_root();

    void open_terminal(const WindowSize& size, std::uint32_t owner);
    void bind_console();
    void take_stdio(Stdio stdio);
    void close_others();

    void set_umask(mode_t mask);
    void set_rlimit(std::string site, const Rlimit& limit);
    void set_groups(const std::vector<std::uint32_t>& groups);
    void set_gid(std::uint32_t gid);
    void set_uid(std::uint32_t uid);
    void keep_caps();
    void drop_bounding(std::uint64_t keep);
    void set_capabilities(const CapSets& sets);
    void raise_ambient(std::uint64_t mask);
    void no_new_privs();
    void load_seccomp(const SeccompProgram& program);
    void change_dir(const std::string& path);
    void reset_signals();
    void exec(const std::vector<std::string>& candidates,
              const std::vector<std::string>& argv,
              const std::vector<std::string>& env);

    [[nodiscard]] Recipe finish() && { return std::move(recipe_); }

private:
    child::Step& add(child::Op op, std::string site, std::string line);
    const char* keep(const std::string& text);
    char* const* keep(const std::vector<std::string>& texts);
    const void* keep(const void* data, std::size_t size);

    Recipe recipe_;
};

// "a/b" of "/a//b/.": the components of an absolute path without ".."; they stay in order.
[[nodiscard]] std::vector<std::string> path_components(std::string_view path);

}  // namespace warren::isolation
