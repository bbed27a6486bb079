// Writes recipes: one typed function per op, so that a step's operands cannot be mixed up. Strings, arrays and blobs
// are copied into the recipe, whose steps point to them. A `site` is the step in words, with its place in the
// configuration: "mounts[3]: mount proc on /proc".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "isolation/child/container_step.hpp"
#include "isolation/exec_failure.hpp"
#include "isolation/recipe.hpp"

namespace warren::isolation {

class RecipeBuilder {
public:
    // Descriptors 0..released_slots-1 come with the release; 0 when none are needed.
    void wait_release(std::uint32_t released_slots);
    // Until the maps of the new user namespace are written.
    void wait_ids();
    void set_non_dumpable();
    void new_keyring();
    void unshare(std::uint64_t clone_flags, const std::string& names);
    void setsid();
    void set_hostname(const std::string& name);
    void netlink_request(std::string site, const std::vector<std::byte>& request);
    void private_propagation();
    void attach_root(std::uint32_t slot, const std::string& path);
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
    // `flags`: child::kDirectory, kNoSymlinks, kNoFollow, kOptional. The path is normal and absolute.
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
              const std::vector<std::string>& env,
              const std::optional<ExecFailureLines>& failure = std::nullopt);

    // Containers only; defined in recipe_builder_container.cpp.
    void enter_namespace(const std::string& name, std::uint32_t slot, std::uint64_t type);
    // `enter`: at once, which needs a process of one thread whose memory nobody shares; otherwise exec does (Linux 6.2).
    void unshare_time(const std::vector<TimeOffset>& offsets, bool enter);
    void set_domainname(const std::string& name);
    // A file below the caller's /proc.
    void write_proc(std::string site,
                    const std::string& path,
                    const std::string& text,
                    std::uint16_t flags);
    void open_label(std::string site,
                    std::uint32_t slot,
                    const std::string& path,
                    const std::string& fallback);
    void write_label(std::string site, std::uint32_t slot, const std::string& label);
    // `flags` of what follows: child::kRecursive, kOptional.
    void clone_host_tree(std::string site,
                         std::uint32_t slot,
                         const std::string& path,
                         std::uint16_t flags);
    // As open_file_system(), by mount(2).
    void mount_file_system(std::string site,
                           std::uint32_t slot,
                           const FileSystem& fs,
                           std::uint16_t flags);
    // So that the kernel, which lists mounts by age, lists this one after those made before. `flags`:
    // child::kDirectory, kTidy, kOptional.
    void renew_mount(std::string site, std::uint32_t slot, std::uint16_t flags);
    // New options for the file system of a mount.
    void reconfigure(std::string site,
                     std::uint32_t slot,
                     const std::vector<std::pair<std::string, std::string>>& options);
    // `slot` -1: "/".
    void set_propagation(std::string site,
                         std::int32_t slot,
                         std::uint64_t type,
                         std::uint16_t flags);
    void change_mount(std::string site,
                      std::uint32_t slot,
                      std::uint64_t set,
                      std::uint64_t clear,
                      std::uint16_t flags);
    void inherit_mode(std::string site, std::uint32_t slot, std::uint16_t flags);
    void copy_up(std::string site, std::uint32_t slot, std::uint16_t flags);
    // Onto the target made last, without a change. child::kKeep: the slot stays, for changes.
    void place_mount(std::string site, std::uint32_t slot, std::uint16_t flags);
    // In the directory that was the target made last.
    void make_node(std::string site, const std::string& name, const child::NodeData& node);
    void make_link(std::string site,
                   const std::string& name,
                   const std::string& target,
                   bool replace);
    void hide_host();
    void enter_root(std::uint32_t slot);
    void leave_root(std::uint32_t slot);
    void run_hook(std::string site,
                  std::uint32_t state_slot,
                  const std::string& path,
                  const std::vector<std::string>& argv,
                  const std::vector<std::string>& env,
                  std::int32_t timeout_ms);
    void own_null();
    void close_all_but(std::uint32_t first, const std::vector<std::int32_t>& slots);
    void preserve_fds(std::uint32_t count);
    // Before exec(), whose environment has kListenPid.
    void set_listen_pid();
    void report_created();
    void wait_start(std::uint32_t slot);
    void set_personality(std::uint32_t persona);
    void try_change_dir(const std::string& path);
    void retry_change_dir(const std::string& path);

    [[nodiscard]] Recipe finish() &&;

private:
    child::Step& add(child::Op op, std::string site, std::string line);
    const char* keep(const std::string& text);
    char* const* keep(const std::vector<std::string>& texts);
    const void* keep(const void* data, std::size_t size);

    void add_to_slot(
        child::Op op, std::string site, const char* word, std::uint32_t slot, std::uint16_t flags);
    // For fsconfig(2); what the recipe's line says of them goes to `line`.
    const void* keep_options(const std::vector<std::pair<std::string, std::string>>& options,
                             std::string& line);
    static const void* listen_digits(char* const* env);

    Recipe recipe_;
    std::optional<std::size_t> listen_step_;
};

// The variable whose digits set_listen_pid() fills in.
inline constexpr const char* kListenPid = "LISTEN_PID=00000000000000000000";

// "a/b" of "/a//b/.": the components of an absolute path without ".."; they stay in order.
[[nodiscard]] std::vector<std::string> path_components(std::string_view path);

}  // namespace warren::isolation
