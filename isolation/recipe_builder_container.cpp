// The ops that only containers have.
#include <cstring>

#include "isolation/recipe_builder.hpp"
#include "isolation/recipe_words.hpp"

namespace warren::isolation {

using child::Op;
using child::Step;

Recipe RecipeBuilder::finish() && {
    for (const auto& site : recipe_.sites_) {
        recipe_.site_texts_.push_back(site.c_str());
    }
    return std::move(recipe_);
}

void RecipeBuilder::add_to_slot(
    Op op, std::string site, const char* word, std::uint32_t slot, std::uint16_t flags) {
    Step& step = add(op, std::move(site), word + slot_word(slot) + flag_words(flags));
    step.slot = static_cast<std::int32_t>(slot);
    step.flags = flags;
}

void RecipeBuilder::enter_namespace(const std::string& name,
                                    std::uint32_t slot,
                                    std::uint64_t type) {
    add_to_slot(Op::EnterNamespace,
                "namespaces: enter the " + name + " namespace",
                ("enter-namespace " + name).c_str(),
                slot,
                0);
    recipe_.steps_.back().a = type;
}

void RecipeBuilder::unshare_time(const std::vector<TimeOffset>& offsets, bool enter) {
    std::string text;
    for (const auto& offset : offsets) {
        text += (offset.boottime ? "boottime " : "monotonic ") + std::to_string(offset.seconds) +
                ' ' + std::to_string(offset.nanoseconds) + '\n';
    }
    Step& step = add(Op::UnshareTime,
                     "time offsets: make a time namespace",
                     "unshare-time " + in_quotes(text) + (enter ? "" : " until-exec"));
    step.s1 = keep(text);
    step.a = text.size();
    step.b = enter ? 1 : 0;
}

void RecipeBuilder::set_domainname(const std::string& name) {
    Step& step =
        add(Op::SetDomainname, "domainname: set " + name, "set-domainname " + in_quotes(name));
    step.s1 = keep(name);
    step.a = name.size();
}

void RecipeBuilder::write_proc(std::string site,
                               const std::string& path,
                               const std::string& text,
                               std::uint16_t flags) {
    Step& step = add(Op::WriteProc,
                     std::move(site),
                     "write-proc " + in_quotes(path) + ' ' + in_quotes(text) + flag_words(flags));
    step.flags = flags;
    step.s1 = keep(path);
    step.s2 = keep(text);
    step.a = text.size();
}

void RecipeBuilder::open_label(std::string site,
                               std::uint32_t slot,
                               const std::string& path,
                               const std::string& fallback) {
    add_to_slot(Op::OpenLabel, std::move(site), ("open-label " + in_quotes(path)).c_str(), slot, 0);
    recipe_.steps_.back().s1 = keep(path);
    recipe_.steps_.back().s2 = fallback.empty() ? nullptr : keep(fallback);
}

void RecipeBuilder::write_label(std::string site, std::uint32_t slot, const std::string& label) {
    add_to_slot(
        Op::WriteLabel, std::move(site), ("write-label " + in_quotes(label)).c_str(), slot, 0);
    recipe_.steps_.back().s1 = keep(label);
    recipe_.steps_.back().a = label.size();
}

void RecipeBuilder::clone_host_tree(std::string site,
                                    std::uint32_t slot,
                                    const std::string& path,
                                    std::uint16_t flags) {
    add_to_slot(Op::CloneHostTree,
                std::move(site),
                ("clone-host-tree " + in_quotes(path)).c_str(),
                slot,
                flags);
    recipe_.steps_.back().s1 = keep(path);
}

void RecipeBuilder::mount_file_system(std::string site,
                                      std::uint32_t slot,
                                      const FileSystem& fs,
                                      std::uint16_t flags) {
    std::string options;
    std::string source = fs.type;
    for (const auto& [key, value] : fs.options) {
        if (key == "source") {
            source = value;
            continue;
        }
        options += options.empty() ? "" : ",";
        options += key;
        if (!value.empty()) {
            options += '=';
            options += value;
        }
    }
    const std::string word = "mount-file-system type=" + in_quotes(fs.type) +
                             " attributes=" + hex(fs.attributes) + ' ' + in_quotes(options);
    add_to_slot(Op::MountFileSystem, std::move(site), word.c_str(), slot, flags);
    const child::MountData data{keep(source), keep(fs.type), keep(options), 0};
    recipe_.steps_.back().a = fs.attributes;
    recipe_.steps_.back().data = keep(&data, sizeof(data));
}

void RecipeBuilder::renew_mount(std::string site, std::uint32_t slot, std::uint16_t flags) {
    add_to_slot(Op::RenewMount, std::move(site), "renew-mount", slot, flags);
}

void RecipeBuilder::reconfigure(std::string site,
                                std::uint32_t slot,
                                const std::vector<std::pair<std::string, std::string>>& options) {
    std::string line = "reconfigure";
    const void* data = keep_options(options, line);
    add_to_slot(Op::Reconfigure, std::move(site), line.c_str(), slot, 0);
    recipe_.steps_.back().data = data;
}

void RecipeBuilder::set_propagation(std::string site,
                                    std::int32_t slot,
                                    std::uint64_t type,
                                    std::uint16_t flags) {
    const std::string where = slot < 0 ? " root" : slot_word(static_cast<std::uint32_t>(slot));
    Step& step = add(Op::SetPropagation,
                     std::move(site),
                     "set-propagation" + where + " type=" + hex(type) + flag_words(flags));
    step.slot = slot;
    step.flags = flags;
    step.a = type;
}

void RecipeBuilder::change_mount(std::string site,
                                 std::uint32_t slot,
                                 std::uint64_t set,
                                 std::uint64_t clear,
                                 std::uint16_t flags) {
    const std::string word = "change-mount set=" + hex(set) + " clear=" + hex(clear);
    add_to_slot(Op::ChangeMount, std::move(site), word.c_str(), slot, flags);
    recipe_.steps_.back().a = set;
    recipe_.steps_.back().b = clear;
}

void RecipeBuilder::inherit_mode(std::string site, std::uint32_t slot, std::uint16_t flags) {
    add_to_slot(Op::InheritMode, std::move(site), "inherit-mode", slot, flags);
}

void RecipeBuilder::copy_up(std::string site, std::uint32_t slot, std::uint16_t flags) {
    add_to_slot(Op::CopyUp, std::move(site), "copy-up", slot, flags);
}

void RecipeBuilder::place_mount(std::string site, std::uint32_t slot, std::uint16_t flags) {
    add_to_slot(Op::PlaceMount, std::move(site), "place-mount", slot, flags);
}

void RecipeBuilder::make_node(std::string site,
                              const std::string& name,
                              const child::NodeData& node) {
    Step& step = add(Op::MakeNode,
                     std::move(site),
                     "make-node " + in_quotes(name) + " type=" + hex(node.mode & S_IFMT) +
                         " mode=" + octal(node.mode) + " device=" + std::to_string(node.major) +
                         ':' + std::to_string(node.minor) + " owner=" + std::to_string(node.uid) +
                         ':' + std::to_string(node.gid));
    step.s1 = keep(name);
    step.data = keep(&node, sizeof(node));
}

void RecipeBuilder::make_link(std::string site,
                              const std::string& name,
                              const std::string& target,
                              bool replace) {
    const std::uint16_t flags = replace ? child::kReplace : std::uint16_t{0};
    Step& step =
        add(Op::MakeLink,
            std::move(site),
            "make-link " + in_quotes(name) + " to " + in_quotes(target) + flag_words(flags));
    step.flags = flags;
    step.s1 = keep(name);
    step.s2 = keep(target);
}

void RecipeBuilder::hide_host() {
    add(Op::HideHost, "root: hide the host's /proc and /sys", "hide-host");
}

void RecipeBuilder::enter_root(std::uint32_t slot) {
    add_to_slot(Op::EnterRoot, "root: enter it", "enter-root", slot, 0);
}

void RecipeBuilder::leave_root(std::uint32_t slot) {
    add_to_slot(Op::LeaveRoot, "root: leave it for the hooks", "leave-root", slot, 0);
}

void RecipeBuilder::run_hook(std::string site,
                             std::uint32_t state_slot,
                             const std::string& path,
                             const std::vector<std::string>& argv,
                             const std::vector<std::string>& env,
                             std::int32_t timeout_ms) {
    const std::string word = "run-hook " + in_quotes(path) + " argv:" + quoted_list(argv) +
                             " env:" + variable_names(env) +
                             " timeout-ms=" + std::to_string(timeout_ms);
    add_to_slot(Op::RunHook, std::move(site), word.c_str(), state_slot, 0);
    const child::HookData data{keep(path), keep(argv), keep(env), timeout_ms};
    recipe_.steps_.back().data = keep(&data, sizeof(data));
}

void RecipeBuilder::own_null() {
    add(Op::OwnNull, "standard input and outputs: take the root's own /dev/null", "own-null");
}

void RecipeBuilder::close_all_but(std::uint32_t first, const std::vector<std::int32_t>& slots) {
    std::string line = "close-all-but from=" + std::to_string(first);
    for (const auto slot : slots) {
        line += slot_word(static_cast<std::uint32_t>(slot));
    }
    Step& step = add(Op::CloseAllBut, "close the other descriptors", std::move(line));
    step.a = first;
    step.b = slots.size();
    step.data = keep(slots.data(), slots.size() * sizeof(slots[0]));
}

void RecipeBuilder::preserve_fds(std::uint32_t count) {
    const std::string number = std::to_string(count);
    add(Op::PreserveFds, "preserve " + number + " descriptors", "preserve-fds " + number).a = count;
}

void RecipeBuilder::set_listen_pid() {
    add(Op::SetListenPid, "process: set LISTEN_PID", "set-listen-pid");
    listen_step_ = recipe_.steps_.size() - 1;
}

const void* RecipeBuilder::listen_digits(char* const* env) {
    constexpr std::size_t kName = sizeof("LISTEN_PID=") - 1;
    while (std::strncmp(*env, kListenPid, kName) != 0) {
        ++env;
    }
    return *env + kName;
}

void RecipeBuilder::report_created() {
    add(Op::ReportCreated, "report that the container is created", "report-created");
}

void RecipeBuilder::wait_start(std::uint32_t slot) {
    add_to_slot(Op::WaitStart, "wait for the start", "wait-start", slot, 0);
}

void RecipeBuilder::set_personality(std::uint32_t persona) {
    add(Op::SetPersonality, "personality: set", "set-personality " + hex(persona)).a = persona;
}

void RecipeBuilder::try_change_dir(const std::string& path) {
    add(Op::TryChangeDir, "cwd: change to " + path, "try-change-dir " + in_quotes(path)).s1 =
        keep(path);
}

void RecipeBuilder::retry_change_dir(const std::string& path) {
    add(Op::RetryChangeDir, "cwd: change to " + path, "retry-change-dir " + in_quotes(path)).s1 =
        keep(path);
}

}  // namespace warren::isolation
