#include "isolation/recipe_builder.hpp"

#include <cstring>
#include <iterator>

#include <linux/seccomp.h>
#include <sys/resource.h>

#include "isolation/recipe_words.hpp"

namespace warren::isolation {

using child::Op;
using child::Step;

std::vector<std::string> path_components(std::string_view path) {
    std::vector<std::string> components;
    while (!path.empty()) {
        const auto end = path.find('/');
        const auto component = path.substr(0, end);
        if (!component.empty() && component != ".") {
            components.emplace_back(component);
        }
        path = end == std::string_view::npos ? std::string_view{} : path.substr(end + 1);
    }
    return components;
}

Step& RecipeBuilder::add(Op op, std::string site, std::string line) {
    recipe_.sites_.push_back(std::move(site));
    recipe_.lines_.push_back(std::move(line));
    recipe_.steps_.push_back(Step{op, 0, -1, 0, 0, nullptr, nullptr, nullptr});
    return recipe_.steps_.back();
}

const char* RecipeBuilder::keep(const std::string& text) {
    return recipe_.strings_.emplace_back(text).c_str();
}

char* const* RecipeBuilder::keep(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (const auto& text : texts) {
        pointers.push_back(recipe_.strings_.emplace_back(text).data());
    }
    pointers.push_back(nullptr);
    return recipe_.vectors_.emplace_back(std::move(pointers)).data();
}

const void* RecipeBuilder::keep(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::byte*>(data);
    return recipe_.blobs_.emplace_back(bytes, std::next(bytes, static_cast<std::ptrdiff_t>(size)))
        .data();
}

void RecipeBuilder::wait_ids() {
    add(Op::WaitIds, "wait for the ids", "wait-ids");
}

void RecipeBuilder::wait_release(std::uint32_t released_slots) {
    recipe_.released_slots_ = released_slots;
    add(Op::WaitRelease,
        "wait for the release",
        "wait-release slots=" + std::to_string(released_slots));
}

void RecipeBuilder::set_non_dumpable() {
    add(Op::SetNonDumpable, "become non-dumpable", "set-non-dumpable");
}

void RecipeBuilder::new_keyring() {
    add(Op::NewKeyring, "make a session keyring", "new-keyring");
}

void RecipeBuilder::unshare(std::uint64_t clone_flags, const std::string& names) {
    add(Op::Unshare, "namespaces: make " + names, "unshare " + names).a = clone_flags;
}

void RecipeBuilder::setsid() {
    add(Op::Setsid, "make a session", "setsid");
}

void RecipeBuilder::set_hostname(const std::string& name) {
    Step& step = add(Op::SetHostname, "hostname: set " + name, "set-hostname " + in_quotes(name));
    step.s1 = keep(name);
    step.a = name.size();
}

void RecipeBuilder::netlink_request(std::string site, const std::vector<std::byte>& request) {
    Step& step = add(Op::NetlinkRequest,
                     std::move(site),
                     "netlink-request bytes=" + std::to_string(request.size()));
    step.data = keep(request.data(), request.size());
    step.a = request.size();
}

void RecipeBuilder::private_propagation() {
    add(Op::PrivatePropagation, "make all mounts private", "private-propagation");
}

void RecipeBuilder::attach_root(std::uint32_t slot, const std::string& path) {
    Step& step = add(Op::AttachRoot,
                     "root: attach at " + path,
                     "attach-root" + slot_word(slot) + " at " + in_quotes(path));
    step.slot = static_cast<std::int32_t>(slot);
    step.s1 = keep(path);
}

void RecipeBuilder::pivot_root(std::uint32_t slot) {
    Step& step = add(Op::PivotRoot, "root: pivot into it", "pivot-root" + slot_word(slot));
    step.slot = static_cast<std::int32_t>(slot);
}

const void* RecipeBuilder::keep_options(
    const std::vector<std::pair<std::string, std::string>>& options, std::string& line) {
    std::vector<std::string> pairs;
    for (const auto& [key, value] : options) {
        std::string option = key;
        if (!value.empty()) {
            option += '=';
            option += value;
        }
        line += ' ';
        line += in_quotes(option);
        pairs.push_back(key);
        pairs.push_back(value);
    }
    return keep(pairs);
}

void RecipeBuilder::open_file_system(std::string site,
                                     std::uint32_t slot,
                                     const FileSystem& fs,
                                     bool optional) {
    std::string line = "open-file-system" + slot_word(slot) + " type=" + in_quotes(fs.type) +
                       " attributes=" + hex(fs.attributes);
    const void* options = keep_options(fs.options, line);
    const std::uint16_t flags = optional ? child::kOptional : 0;
    Step& step = add(Op::OpenFileSystem, std::move(site), line + flag_words(flags));
    step.flags = flags;
    step.slot = static_cast<std::int32_t>(slot);
    step.a = fs.attributes;
    step.s1 = keep(fs.type);
    step.data = options;
}

void RecipeBuilder::make_target(std::string site, const std::string& path, std::uint16_t flags) {
    Step& step =
        add(Op::MakeTarget, std::move(site), "make-target " + in_quotes(path) + flag_words(flags));
    step.flags = flags;
    step.s1 = keep(path);
}

void RecipeBuilder::attach_mount(std::string site,
                                 std::uint32_t slot,
                                 std::uint64_t attributes,
                                 std::uint16_t flags) {
    Step& step = add(
        Op::AttachMount,
        std::move(site),
        "attach-mount" + slot_word(slot) + " attributes=" + hex(attributes) + flag_words(flags));
    step.flags = flags;
    step.slot = static_cast<std::int32_t>(slot);
    step.a = attributes;
}

void RecipeBuilder::mask_path(std::string site, const std::string& path) {
    add(Op::MaskPath, std::move(site), "mask-path " + in_quotes(path)).s1 = keep(path);
}

void RecipeBuilder::readonly_path(std::string site, const std::string& path) {
    add(Op::ReadonlyPath, std::move(site), "readonly-path " + in_quotes(path)).s1 = keep(path);
}

void RecipeBuilder::readonly_root() {
    add(Op::ReadonlyRoot, "root: make read-only", "readonly-root");
}

void RecipeBuilder::open_terminal(const WindowSize& size, std::uint32_t owner) {
    Step& step = add(Op::OpenTerminal,
                     "terminal: open a pty of the guest's /dev/pts",
                     "open-terminal rows=" + std::to_string(size.rows) + " columns=" +
                         std::to_string(size.columns) + " owner=" + std::to_string(owner));
    step.a = std::uint64_t{size.rows} << 16 | size.columns;
    step.b = owner;
}

void RecipeBuilder::bind_console() {
    add(Op::BindConsole, "terminal: bind at /dev/console", "bind-console");
}

void RecipeBuilder::take_stdio(Stdio stdio) {
    const bool terminal = stdio == Stdio::Terminal;
    add(Op::TakeStdio,
        "take standard input and outputs",
        terminal ? "take-stdio terminal" : "take-stdio given")
        .a = terminal ? 1 : 0;
}

void RecipeBuilder::close_others() {
    add(Op::CloseOthers, "close the other descriptors", "close-others");
}

void RecipeBuilder::set_umask(mode_t mask) {
    add(Op::SetUmask, "umask: set " + octal(mask), "set-umask " + octal(mask)).a = mask;
}

void RecipeBuilder::set_rlimit(std::string site, const Rlimit& limit) {
    Step& step = add(Op::SetRlimit,
                     std::move(site),
                     "set-rlimit resource=" + std::to_string(limit.resource) + " soft=" +
                         std::to_string(limit.soft) + " hard=" + std::to_string(limit.hard));
    const rlimit64 value{limit.soft, limit.hard};
    step.a = static_cast<std::uint64_t>(limit.resource);
    step.data = keep(&value, sizeof(value));
}

void RecipeBuilder::set_groups(const std::vector<std::uint32_t>& groups) {
    std::string line = "set-groups";
    for (const auto group : groups) {
        line += ' ' + std::to_string(group);
    }
    Step& step = add(Op::SetGroups, "process: set supplementary groups", std::move(line));
    step.a = groups.size();
    step.data = keep(groups.data(), groups.size() * sizeof(groups[0]));
}

void RecipeBuilder::set_gid(std::uint32_t gid) {
    const std::string id = std::to_string(gid);
    add(Op::SetGid, "process: set gid " + id, "set-gid " + id).a = gid;
}

void RecipeBuilder::set_uid(std::uint32_t uid) {
    const std::string id = std::to_string(uid);
    add(Op::SetUid, "process: set uid " + id, "set-uid " + id).a = uid;
}

void RecipeBuilder::keep_caps() {
    add(Op::KeepCaps, "capabilities: keep over the change of uid", "keep-caps");
}

void RecipeBuilder::drop_bounding(std::uint64_t keep) {
    add(Op::DropBounding, "capabilities: bound", "drop-bounding keep=" + hex(keep)).a = keep;
}

void RecipeBuilder::set_capabilities(const CapSets& sets) {
    Step& step = add(Op::SetCapabilities,
                     "capabilities: set",
                     "set-capabilities effective=" + hex(sets.effective) + " permitted=" +
                         hex(sets.permitted) + " inheritable=" + hex(sets.inheritable));
    const child::CapData data{sets.effective, sets.permitted, sets.inheritable};
    step.data = keep(&data, sizeof(data));
}

void RecipeBuilder::raise_ambient(std::uint64_t mask) {
    // Without them the process is weaker, not stronger: no reason to fail.
    Step& step = add(Op::RaiseAmbient,
                     "capabilities: raise ambient",
                     "raise-ambient " + hex(mask) + flag_words(child::kOptional));
    step.a = mask;
    step.flags = child::kOptional;
}

void RecipeBuilder::no_new_privs() {
    add(Op::NoNewPrivs, "set no new privileges", "no-new-privs");
}

void RecipeBuilder::load_seccomp(const SeccompProgram& program) {
    const auto& instructions = program.instructions;
    // For a process with one thread there is nothing to synchronise.
    const std::uint32_t filter_flags =
        program.filter_flags & ~std::uint32_t{SECCOMP_FILTER_FLAG_TSYNC};
    std::string line = program.listener ? "load-listener" : "load-seccomp";
    line += " instructions=" + std::to_string(instructions.size());
    line += filter_flags != 0 ? " flags=" + hex(filter_flags) : "";
    Step& step = add(program.listener ? Op::LoadListener : Op::LoadSeccomp,
                     "seccomp: load the filter",
                     std::move(line));
    step.b = filter_flags;
    step.a = instructions.size();
    step.data = keep(instructions.data(), instructions.size() * sizeof(instructions[0]));
}

void RecipeBuilder::change_dir(const std::string& path) {
    add(Op::ChangeDir, "cwd: change to " + path, "change-dir " + in_quotes(path)).s1 = keep(path);
}

void RecipeBuilder::reset_signals() {
    add(Op::ResetSignals, "reset signals", "reset-signals");
}

void RecipeBuilder::exec(const std::vector<std::string>& candidates,
                         const std::vector<std::string>& argv,
                         const std::vector<std::string>& env,
                         const std::optional<ExecFailureLines>& failure) {
    Step& step = add(Op::Exec,
                     "exec " + in_quotes(argv.front()),
                     "exec candidates:" + quoted_list(candidates) + " argv:" + quoted_list(argv) +
                         " env:" + variable_names(env) + (failure ? " tells-failure" : ""));
    child::ExecData data{keep(candidates), keep(argv), keep(env), nullptr, nullptr, nullptr};
    if (failure) {
        data.missing = keep(failure->missing + "\n");
        data.denied = keep(failure->denied + "\n");
        data.failed = keep(failure->failed + "\n");
    }
    if (listen_step_) {
        recipe_.steps_.at(*listen_step_).data = listen_digits(data.env);
    }
    step.data = keep(&data, sizeof(data));
    recipe_.program_ = argv.front();
}

}  // namespace warren::isolation
