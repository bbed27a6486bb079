// Real guests for the launcher's tests: a root with nothing but the payload in it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fd.hpp"
#include "base/json.hpp"
#include "base/pidref.hpp"
#include "isolation/launcher.hpp"
#include "isolation/plan.hpp"

namespace warren::isolation::test {

// Where the guests' ids start on the host; any range will do, nothing on disk belongs to it.
inline constexpr std::uint32_t kIdBase = 3'000'000;
inline constexpr std::uint32_t kIdCount = 65'536;

// Says why and returns false when this process may not make namespaces.
[[nodiscard]] bool can_launch();

// A directory tree of a guest's root, with /bin/inspect: it belongs to `owner` (a host id) and goes with the object.
class TestRoot {
public:
    explicit TestRoot(std::uint32_t owner = kIdBase);
    TestRoot(const TestRoot&) = delete;
    TestRoot& operator=(const TestRoot&) = delete;
    TestRoot(TestRoot&&) = delete;
    TestRoot& operator=(TestRoot&&) = delete;
    ~TestRoot();
    // A detached mount of it: one for each launch, as a launch uses it up.
    [[nodiscard]] base::Fd mount() const;

    [[nodiscard]] const std::string& path() const { return path_; }

    void make_dir(const std::string& path);
    void make_link(const std::string& target, const std::string& path);
    void make_fifo(const std::string& path);
    void make_file(const std::string& path, const std::string& text, mode_t mode = 0644);
    [[nodiscard]] bool has(const std::string& path) const;

private:
    void own(const std::string& path) const;

    [[nodiscard]] int fd() const { return dir_.get(); }

    std::string path_;
    base::Fd dir_;
    std::uint32_t owner_;
};

// A directory in /tmp that only the host's root may enter, removed at the end.
class OutsideDir {
public:
    OutsideDir();
    OutsideDir(const OutsideDir&) = delete;
    OutsideDir& operator=(const OutsideDir&) = delete;
    OutsideDir(OutsideDir&&) = delete;
    OutsideDir& operator=(OutsideDir&&) = delete;
    ~OutsideDir();

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

// A guest of the house's kind that runs /bin/inspect with `args`, in all namespaces this kernel has.
[[nodiscard]] GuestSpec guest_spec(std::vector<std::string> args = {});
[[nodiscard]] JoinSpec join_spec(const GuestSpec& guest, std::vector<std::string> args = {});

// A child's end that is killed and reaped when the test ends, whatever happens.
class Running {
public:
    Running(Launched launched, base::Fd output)
        : launched_(std::move(launched)), output_(std::move(output)) {}

    Running(Running&&) = default;
    Running& operator=(Running&&) = delete;
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running();

    [[nodiscard]] const base::PidRef& process() const { return launched_.process; }

    [[nodiscard]] const std::vector<std::string>& notes() const { return launched_.notes; }

    [[nodiscard]] int terminal() const { return launched_.terminal_master.get(); }

    // The next line the process prints, as JSON; fails the test when there is none.
    [[nodiscard]] base::Json report();
    [[nodiscard]] base::ExitStatus wait();
    void signal(int number) const;

private:
    Launched launched_;
    base::Fd output_;
    bool reaped_ = false;
};

struct LaunchOptions {
    SeccompProgram filter;
    int cgroup_fd = -1;
    std::vector<int> binds;                             // from kFirstBindSlot on
    std::function<void(PendingGuest&)> before_release;  // nullptr: nothing
};

// clone, id maps, limits, release.
[[nodiscard]] base::Result<Running> launch(const GuestSpec& spec,
                                           const TestRoot& root,
                                           const LaunchOptions& options = {});
[[nodiscard]] base::Result<Running> join(const JoinSpec& spec,
                                         const base::PidRef& target,
                                         const SeccompProgram& filter = {},
                                         int cgroup_fd = -1);
// launch, the report, the end.
[[nodiscard]] base::Json inspect(const GuestSpec& spec,
                                 const TestRoot& root,
                                 const LaunchOptions& options = {});

// The mount of the report at `target`: the last one made there.
[[nodiscard]] std::optional<base::Json> mount_at(const base::Json& report,
                                                 const std::string& target);
// What /proc/self/ns/NAME reads.
[[nodiscard]] std::string own_namespace(const char* name);
// The words of the failure to launch it.
[[nodiscard]] std::string refusal(const base::Result<Running>& result);
// Children of this process, dead or alive.
[[nodiscard]] std::size_t child_count();
[[nodiscard]] std::size_t open_fd_count();

}  // namespace warren::isolation::test
