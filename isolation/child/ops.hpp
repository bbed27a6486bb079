// The ops, one function each: 0, or a negative errno. Internal to the child.
#pragma once

#include "isolation/child/interpreter.hpp"
#include "isolation/child/step.hpp"

namespace warren::isolation::child {

// Sends one report, with a descriptor when `fd` >= 0. A parent that is gone does not matter any more.
int send_report(const Context& context, const Report& report, int fd);
// Says how the current step went: Error, Note or Exec; `error` is a negative errno.
void report_failure(const Context& context, ReportKind kind, Op op, int error);
// Closes what the slot holds, if anything.
void clear_slot(Context& context, std::int32_t slot);
[[noreturn]] void leave(int code);
// Performs the recipe's steps. interpreter.cpp
[[noreturn]] void walk(Context& context);

// setup_ops.cpp
// A go with at most `limit` descriptors for slots 0.. ; a parent that is gone ends the child.
int wait_go(Context& context, std::size_t limit);
// Receives one go, with at most `limit` descriptors for slots 0.. : 1 when it came, 0 at the end of the channel.
int receive_go(int channel, int* slots, std::size_t limit);
int set_hostname(const Step& step);
int netlink_request(const Step& step);
int new_keyring();

// mount_ops.cpp
int private_propagation();
// The mount at `path` (empty: `dir` itself) and all below it share nothing with others.
int make_private(int dir, const char* path);
int attach_root(Context& context, const Step& step);
int open_file_system(Context& context, const Step& step);
// What step.data says (see OpenFileSystem) to a file system's context.
int set_options(int fs, const Step& step);
int pivot_root(Context& context, const Step& step);
int make_target(Context& context, const Step& step);
int attach_mount(Context& context, const Step& step);
int mask_path(Context& context, const Step& step);
int readonly_path(const Step& step);
int readonly_root();
int bind_console(Context& context);
// openat2(2) of an absolute path inside the root; magic links are refused.
int open_in_root(const char* path, std::uint64_t flags, std::uint64_t resolve);

// terminal_ops.cpp
int open_terminal(Context& context, const Step& step);
int take_stdio(Context& context, const Step& step);
int close_others(const Context& context);
int own_null();

// process_ops.cpp
int perform_process(const Context& context, const Step& step);

// container_ops.cpp: false when the op is not a container's.
bool perform_container(Context& context, const Step& step, int& result);

// root_ops.cpp
int clone_host_tree(Context& context, const Step& step);
int mount_file_system(Context& context, const Step& step);
int renew_mount(Context& context, const Step& step);
int reconfigure(const Context& context, const Step& step);
int set_propagation(const Context& context, const Step& step);
int change_mount(const Context& context, const Step& step);
int place_mount(Context& context, const Step& step);
int inherit_mode(const Context& context, const Step& step);
int make_node(Context& context, const Step& step);
int make_link(Context& context, const Step& step);
int hide_host();
int enter_root(Context& context, const Step& step);
int leave_root(Context& context, const Step& step);

// copy_ops.cpp
int copy_up(const Context& context, const Step& step);

// hook_ops.cpp
int run_hook(Context& context, const Step& step);

// start_ops.cpp
int close_all_but(const Context& context, const Step& step);
int report_created(Context& context);
int wait_start(Context& context, const Step& step);

// listener_ops.cpp
int load_listener(const Context& context, const Step& step);

}  // namespace warren::isolation::child
