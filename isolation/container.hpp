// A container of the OCI runtime specification 1.2: what its first process builds between clone and exec, in two halves.
// Pure values and plan_container(); container_launcher.hpp clones and releases.
//
//  create's child                      parent (`create`)
//  --------------                      -----------------
//  (born by clone3, perhaps through    id maps, hooks of the runtime's namespaces, mounts, the start socket
//   a joiner; in its cgroup)
//                    <-- RELEASE+fds
//  (walls, createContainer hooks, root, devices, terminal)
//  MASTER+fd, NOTE.. -->
//  CREATED           -->               `create` ends; the child waits at its start socket
//
//  the same child                      parent (`start`: another process, without the recipe)
//                    <-- connection, GO
//  (startContainer hooks, filter, ids)
//  LISTENER+fd       -->               hands it to whoever supervises, while the child goes on
//  NOTE/ERROR+words  -->
//  EOF               -->               exec happened
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/result.hpp"
#include "isolation/plan.hpp"
#include "isolation/recipe.hpp"
#include "isolation/seccomp.hpp"
#include "isolation/types.hpp"

namespace warren::isolation {

// A namespace that exists. `fd` is borrowed and must stay open until the clone.
struct JoinedNamespace {
    Namespace type = Namespace::Net;
    int fd = -1;
    bool operator==(const JoinedNamespace&) const = default;
};

// What is neither fresh nor joined is the caller's own.
struct ContainerNamespaces {
    NamespaceSet fresh = NamespaceSet::none();
    std::vector<JoinedNamespace> joined;
    bool operator==(const ContainerNamespaces&) const = default;
    [[nodiscard]] bool joins(Namespace type) const;

    // Fresh or joined: not the caller's.
    [[nodiscard]] bool has(Namespace type) const { return fresh.has(type) || joins(type); }

    // setns(2) has to happen before clone3(2): into a pid or user namespace, or before a user namespace of its own
    // takes the rights over the others away. A helper process does both.
    [[nodiscard]] bool need_joiner() const;
};

// mount_namespaces(7).
struct Propagation {
    enum class Kind : std::uint8_t { Private, Slave, Shared, Unbindable };
    Kind kind = Kind::Private;
    bool recursive = false;
    bool operator==(const Propagation&) const = default;
};

// mount_setattr(2): MOUNT_ATTR_*; what is in `clear` goes before `set` comes. An access time bit in `set` implies that
// all of them are cleared.
struct MountChange {
    std::uint64_t set = 0;
    std::uint64_t clear = 0;
    bool operator==(const MountChange&) const = default;
};

// Where a mount or a device comes from.
enum class MountSource : std::uint8_t {
    FileSystem,  // a new instance, fsopen(2) in the child
    Slot,        // a detached mount the parent opened: index among the released descriptors
    HostPath,    // rootless: the child clones it with open_tree(2) before the old root goes
    Remount,     // an earlier mount of the list, which is changed
};

// One mount, made or changed in this order. The target is absolute in the root and made when it is missing; links in it are
// followed inside the root only, and not at all for proc and sysfs.
struct ContainerMount {
    MountSource source = MountSource::FileSystem;
    std::string target;
    std::string fs_type;  // FileSystem
    // FileSystem: fsconfig(2); an empty value is a flag. "source" is what /proc/mounts shows (or the device).
    std::vector<std::pair<std::string, std::string>> options;
    std::uint32_t slot = 0;  // Slot
    std::string host_path;   // HostPath
    bool recursive = true;   // HostPath: rbind, not bind
    // Remount: the index of what is changed: by `attributes`, `below` and `propagation`, and by `options`, which its
    // file system takes.
    std::size_t of = 0;
    MountChange attributes;  // of the mount itself
    MountChange below;  // of it and everything below it: rro, rnosuid, ...; before `attributes`
    std::vector<Propagation>
        propagation;  // in this order; a Slot or HostPath without any becomes private, all of it
    bool is_directory =
        true;  // what to make when the target is missing; a FileSystem needs a directory
    bool optional = false;   // a failure is a note
    bool no_follow = false;  // a link at the end of the target is what is covered
    bool copy_up = false;    // tmpcopyup: a tmpfs starts with what the target holds
    bool operator==(const ContainerMount&) const = default;
};

struct ContainerRoot {
    MountSource source = MountSource::Slot;  // Slot or HostPath
    std::uint32_t slot = kRootSlot;
    // The rootfs on the host. HostPath: what is cloned. With createContainer hooks, and in a mount namespace that is
    // joined: where the root hangs meanwhile, so it must exist there. Absolute, without links.
    std::string path;
    bool readonly = false;
    bool no_pivot =
        false;  // hosts whose root is an initramfs: the root covers "/" and is entered by chroot(2)
    std::optional<Propagation> propagation;  // of "/" when all is mounted
    bool operator==(const ContainerRoot&) const = default;
};

// A device node, after the mounts. An equal node that exists will do; anything else at its place is an error.
struct ContainerDevice {
    enum class Type : std::uint8_t { Char, Block, Fifo };
    enum class Source : std::uint8_t {
        Make,      // mknod(2)
        Slot,      // bound from a detached mount the parent opened: where mknod is not allowed
        HostPath,  // rootless: bound from the host, cloned by the child
    };
    Source source = Source::Make;
    std::string path;
    Type type = Type::Char;
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    mode_t mode = 0666;
    std::uint32_t uid = 0;  // ids inside
    std::uint32_t gid = 0;
    std::uint32_t slot = 0;
    std::string host_path;
    bool operator==(const ContainerDevice&) const = default;
};

// A symbolic link, after the devices ("/dev/fd" to "/proc/self/fd"). What exists stays, unless `replace`.
struct ContainerLink {
    std::string path;
    std::string target;
    bool replace = false;
    bool operator==(const ContainerLink&) const = default;
};

// A hook the child runs. The container's state, JSON, is its standard input; its outputs are those of the process that
// runs it. Failing to run, a status that is not 0, and the timeout fail the step.
struct ContainerHook {
    std::string site;  // "hooks.createContainer[0]": how errors name it
    std::string path;  // absolute: on the host for createContainer, in the root for startContainer
    std::vector<std::string> argv;  // empty: the path
    std::vector<std::string> env;
    std::optional<std::uint32_t> timeout_seconds;
    bool operator==(const ContainerHook&) const = default;
};

// sched_setattr(2), in its units.
struct SchedulerSpec {
    std::uint32_t policy = 0;  // SCHED_*
    std::uint64_t flags = 0;   // SCHED_FLAG_*
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0;
    std::uint64_t deadline = 0;
    std::uint64_t period = 0;
    bool operator==(const SchedulerSpec&) const = default;
};

// A process of the specification: init or exec. The rlimits are meant as given (a refused one is an error);
// capabilities that cannot be had are left out with a note.
struct ContainerProcess : ProcessSpec {
    std::optional<SchedulerSpec> scheduler;
    std::optional<int> io_priority;  // ioprio_set(2): IOPRIO_PRIO_VALUE(class, level)
    // execCPUAffinity: CPU numbers; empty: not touched. `initial` when the process is cloned, `final` before it goes.
    std::vector<std::uint32_t> initial_cpus;
    std::vector<std::uint32_t> final_cpus;
    std::optional<std::uint32_t> personality;  // personality(2): PER_LINUX, PER_LINUX32
    // Exec labels, written when not empty: the caller knows that the security module is there.
    std::string apparmor_profile;
    std::string selinux_label;
    bool new_keyring = true;
    // A program that cannot be run is told on the process's standard error, as by a shell: for a process whose start
    // nobody watches.
    bool tells_exec_failure = false;
    // Descriptors 3, 4, ... of the caller that the program keeps, and how many of these, the first ones, LISTEN_FDS
    // announces to it. They must be open at the clone.
    std::uint32_t preserve_fds = 0;
    std::uint32_t listen_fds = 0;
    bool operator==(const ContainerProcess&) const = default;
};

// Everything the first process of a container needs. Slots are indexes into what release() is given, below
// child::kReleasedSlots, each used once.
struct ContainerSpec {
    ContainerNamespaces namespaces;
    // A fresh user namespace's maps. What they map decides as whom the walls are built: 0 when it is mapped, else the
    // first id. PendingContainer::write_id_maps() (or newuidmap) makes them true.
    IdMap id_map;
    bool setgroups_denied = false;  // rootless without newgidmap: no supplementary groups
    bool rootless =
        false;  // the parent is an ordinary user: it must be able to reach /proc/PID until the release
    std::vector<TimeOffset> time_offsets;  // of a fresh time namespace
    // Nobody looks at the fresh network namespace before the release: the process makes it itself, beside its parent.
    bool late_network = false;
    std::string hostname;
    std::string domainname;
    std::vector<std::pair<std::string, std::string>>
        sysctls;  // "net.ipv4.ip_forward", as sysctl(8) writes them
    std::vector<std::vector<std::byte>>
        netlink_requests;  // sent inside a fresh network namespace, one after the other
    ContainerRoot root;
    std::vector<ContainerMount> mounts;
    // /proc/PID/mountinfo shows them in this order although it goes by age (Linux 6.8): detached mounts that others
    // made are renewed where something younger comes before them. Only where the root is pivoted to.
    bool mounts_listed_in_order = false;
    std::vector<ContainerDevice> devices;
    std::vector<ContainerLink> links;
    std::vector<std::string> masked_paths;
    std::vector<std::string> readonly_paths;
    std::vector<ContainerHook> create_container_hooks;
    std::vector<ContainerHook> start_container_hooks;
    // What the hooks of each kind read, see state_file(); needed where there are hooks.
    std::optional<std::uint32_t> create_state_slot;
    std::optional<std::uint32_t> start_state_slot;
    std::uint32_t start_socket_slot = 0;  // a listening socket: base::listen_at()
    // Without argv: the container is created and waits, but can only be killed.
    ContainerProcess process;
};

// A process that joins a running container.
struct ContainerJoin {
    NamespaceSet namespaces = NamespaceSet::none();  // those of its init that are not the caller's
    // The init's user namespace maps 0, and setgroups(2) is allowed in it.
    bool root_mapped = true;
    bool setgroups_denied = false;
    // Slot of init's root directory, where that is not the root of its mount namespace: entered by chroot(2).
    std::optional<std::uint32_t> root_slot;
    ContainerProcess process;
};

// Usage errors name what they refuse. Pure.
[[nodiscard]] base::Result<Recipe> plan_container(const ContainerSpec& spec,
                                                  const SeccompProgram& filter);
[[nodiscard]] base::Result<Recipe> plan_container_join(const ContainerJoin& spec,
                                                       const SeccompProgram& filter);

// Makes the five sets one that capset(2) takes: what is effective must be permitted, what is ambient permitted and
// inheritable, and everything known to this kernel (`known`: see all_capabilities()). Appends a note on what it left out.
[[nodiscard]] CapSets grantable_capabilities(const CapSets& wanted,
                                             std::uint64_t known,
                                             std::vector<std::string>& notes);

}  // namespace warren::isolation
