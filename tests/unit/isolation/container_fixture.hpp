// Real containers for the tests: created, started, joined; with the roots of guest_fixture.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "guest_fixture.hpp"
#include "isolation/container.hpp"
#include "isolation/container_launcher.hpp"

namespace warren::isolation::test {

inline constexpr std::uint32_t kSocketSlot = 1;
inline constexpr std::uint32_t kCreateStateSlot = 2;
inline constexpr std::uint32_t kStartStateSlot = 3;
inline constexpr std::uint32_t kFirstFreeSlot = 4;

// All namespaces this kernel has but the user's; /proc, /sys, a tmpfs at /dev with devpts and a few nodes; runs
// /bin/inspect with `args` as the host's root.
[[nodiscard]] ContainerSpec container_spec(const TestRoot& root,
                                           std::vector<std::string> args = {});
// The same in a user namespace, whose root is kIdBase.
[[nodiscard]] ContainerSpec mapped_spec(const TestRoot& root, std::vector<std::string> args = {});
[[nodiscard]] ContainerMount file_system(const std::string& type, const std::string& target);
[[nodiscard]] ContainerHook hook(const std::string& site, std::vector<std::string> argv);

struct CreateOptions {
    SeccompProgram filter;
    std::vector<int> slots;                                 // from kFirstFreeSlot on
    std::function<void(PendingContainer&)> before_release;  // nullptr: nothing
};

// A container that was created, and may be started once. Killed and reaped when the test ends.
class TestContainer {
public:
    [[nodiscard]] static base::Result<TestContainer> create(const ContainerSpec& spec,
                                                            const TestRoot& root,
                                                            const CreateOptions& options = {});

    [[nodiscard]] base::Result<Started> start(const ListenerHandler& on_listener = {});
    [[nodiscard]] base::Result<base::Fd> connect() const;

    [[nodiscard]] Running& process() { return running_; }

private:
    // A directory that goes with the object.
    class OwnDir {
    public:
        OwnDir();
        OwnDir(OwnDir&& other) noexcept;
        OwnDir& operator=(OwnDir&&) = delete;
        OwnDir(const OwnDir&) = delete;
        OwnDir& operator=(const OwnDir&) = delete;
        ~OwnDir();

        [[nodiscard]] int fd() const { return dir_.get(); }

    private:
        std::string path_;
        base::Fd dir_;
    };

    TestContainer(Running running, OwnDir dir, std::string program)
        : running_(std::move(running)), dir_(std::move(dir)), program_(std::move(program)) {}

    Running running_;
    OwnDir dir_;  // of its start socket
    std::string program_;
};

// Fails the test when it cannot be created.
[[nodiscard]] TestContainer created(const ContainerSpec& spec,
                                    const TestRoot& root,
                                    const CreateOptions& options = {});
// create, start, the report, the end.
[[nodiscard]] base::Json inspect_container(const ContainerSpec& spec,
                                           const TestRoot& root,
                                           const CreateOptions& options = {});
// The words of the failure to create it.
[[nodiscard]] std::string create_error(const ContainerSpec& spec,
                                       const TestRoot& root,
                                       const CreateOptions& options = {});
[[nodiscard]] std::string start_error(const ContainerSpec& spec,
                                      const TestRoot& root,
                                      const CreateOptions& options = {});

}  // namespace warren::isolation::test
