// What parent and child agree on: steps, slots, and the report. Only plain data: the child's translation units
// include this and kernel headers, nothing else of ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace warren::isolation::child {

// One system call or one short ritual each. The meaning of the operands stands beside each op in
// setup_ops.cpp and process_ops.cpp; recipe_builder.hpp has one typed function for each.
enum class Op : std::uint16_t {
    WaitIds,
    WaitRelease,
    SetNonDumpable,
    NewKeyring,
    Unshare,
    Setsid,
    SetHostname,
    NetlinkRequest,
    PrivatePropagation,
    AttachRoot,
    OpenFileSystem,
    PivotRoot,
    MakeTarget,
    AttachMount,
    MaskPath,
    ReadonlyPath,
    ReadonlyRoot,
    OpenTerminal,
    BindConsole,
    TakeStdio,
    CloseOthers,
    SetUmask,
    SetRlimit,
    SetGroups,
    SetGid,
    SetUid,
    KeepCaps,
    DropBounding,
    SetCapabilities,
    RaiseAmbient,
    NoNewPrivs,
    LoadSeccomp,
    ChangeDir,
    ResetSignals,
    Exec,
    // Containers only: see container_step.hpp.
    EnterNamespace,
    UnshareTime,
    SetDomainname,
    WriteProc,
    OpenLabel,
    WriteLabel,
    CloneHostTree,
    MountFileSystem,
    RenewMount,
    Reconfigure,
    SetPropagation,
    ChangeMount,
    PlaceMount,
    InheritMode,
    CopyUp,
    MakeNode,
    MakeLink,
    HideHost,
    EnterRoot,
    LeaveRoot,
    RunHook,
    CloseAllBut,
    PreserveFds,
    SetListenPid,
    ReportCreated,
    WaitStart,
    SetPersonality,
    TryChangeDir,
    RetryChangeDir,
    LoadListener,
    OwnNull,
    EnterNamespaces,  // of who joins only: never in a recipe
    CloneJoined,      // the joiner's only: never in a recipe
};

// Which fields an op reads is written beside it.
struct Step {
    Op op;
    std::uint16_t flags;
    std::int32_t slot;
    std::uint64_t a;
    std::uint64_t b;
    const char* s1;
    const char* s2;
    const void* data;
};

static_assert(std::is_trivially_copyable_v<Step> && std::is_standard_layout_v<Step>);

inline constexpr std::uint16_t kOptional = 1;  // a failure is reported as a note and passed over
inline constexpr std::uint16_t kRecursive =
    2;  // AttachMount: the attributes reach all mounts below
inline constexpr std::uint16_t kNoSymlinks = 4;  // MakeTarget: no component may be a link
inline constexpr std::uint16_t kDirectory = 8;   // MakeTarget: make a directory, not a file

// Step::data of Exec. All arrays end with a null pointer.
struct ExecData {
    const char* const* candidates;  // tried in this order
    char* const* argv;
    char* const* env;
    // What the process says on its standard error when the program does not exist, when it may not be run, and when it
    // cannot be for another reason: lines. Null: nothing.
    const char* missing;
    const char* denied;
    const char* failed;
};

// Step::data of SetCapabilities: bit N is capability N.
struct CapData {
    std::uint64_t effective;
    std::uint64_t permitted;
    std::uint64_t inheritable;
};

// Exec says "execve(2) comes next": a child that ends without it never ran the program.
// Created says that the container waits for its start, Listener carries a seccomp listener.
enum class ReportKind : std::uint32_t { Error = 1, Note, Master, Pid, Exec, Created, Listener };

struct Report {
    std::uint32_t magic;
    ReportKind kind;
    std::uint32_t step;
    std::uint32_t op;
    std::int32_t error_number;
    std::int32_t value;  // Pid: the joined process; RunHook: how it ended
};

static_assert(std::is_trivially_copyable_v<Report> && sizeof(Report) == 24);
inline constexpr std::uint32_t kReportMagic = 0x57524e31;
// To a receiver that does not have the recipe a report goes with the step's site behind it.
inline constexpr std::size_t kSiteLimit = 1024;

// Slots hold descriptors. The released ones come first; the child's own follow.
inline constexpr std::uint32_t kReleasedSlots = 130;
inline constexpr std::uint32_t kSlotCount = 288;
inline constexpr std::int32_t kNullSlot = 252;      // the guest's /dev/null, once a mask needed it
inline constexpr std::int32_t kTargetSlot = 253;    // what MakeTarget opened last
inline constexpr std::int32_t kMaskSlot = 254;      // the empty tmpfs that covers directories
inline constexpr std::int32_t kTerminalSlot = 255;  // the slave of the process's pty
// Of containers; the first two are laid out by the parent before the clone.
inline constexpr std::int32_t kNamespaceSlot = 256;  // and 7 more: what EnterNamespace enters
inline constexpr std::int32_t kProcSlot = 264;       // the caller's /proc
inline constexpr std::int32_t kHostRootSlot = 265;   // the root that EnterRoot left
inline constexpr std::int32_t kLabelSlot = 266;      // and 1 more: what WriteLabel writes to

}  // namespace warren::isolation::child
