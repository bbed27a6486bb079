// What the tests of state share: a store in a temporary directory, and records.
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "runtime/state/store.hpp"
#include "tests/unit/base/support.hpp"

namespace warren::state::test {

using base::test::spawn;
using base::test::TempDir;
using base::test::wait_for;

inline constexpr std::chrono::milliseconds kNoWait{0};
inline constexpr std::chrono::milliseconds kLongWait{60'000};

inline base::Name guest(const std::string& name) {
    return base::Name::parse_guest(name).value();
}

inline GuestRecord guest_record(const std::string& name) {
    GuestRecord record;
    record.name = name;
    record.phase = GuestPhase::Ready;
    record.created = "2026-01-02T03:04:05.000006Z";
    record.lease = 7;
    record.config.name = name;
    record.config.image = "debian:12";
    record.config.command = {"/sbin/init"};
    return record;
}

inline RunRecord run_record(const std::string& name) {
    RunRecord record;
    record.name = name;
    record.phase = RunPhase::Running;
    record.boot_id = "00000000-0000-0000-0000-000000000001";
    record.cgroup = "warren/" + name;
    record.init = base::PidIdentity{4711, 123456, 815};
    record.started = "2026-01-02T03:04:05.000006Z";
    return record;
}

// ROOT and RUN below a temporary directory; ROOT is "root", RUN is "run".
class TempStore {
public:
    TempStore() : store_(Store::open(paths(), true).value()) {}

    [[nodiscard]] StorePaths paths() const {
        return {(dir_.path() / "root").string(), (dir_.path() / "run").string()};
    }

    [[nodiscard]] const Store& get() const { return store_; }

    const Store* operator->() const { return &store_; }

    [[nodiscard]] const TempDir& dir() const { return dir_; }

    // All paths below, as find(1) names them, sorted.
    [[nodiscard]] std::vector<std::string> tree(const std::string& below) const {
        std::vector<std::string> found;
        const auto top = dir_.path() / below;
        if (std::filesystem::exists(top)) {
            for (const auto& entry : std::filesystem::recursive_directory_iterator(top)) {
                found.push_back(entry.path().lexically_relative(top).string());
            }
        }
        std::sort(found.begin(), found.end());
        return found;
    }

    [[nodiscard]] unsigned mode(const std::string& path) const {
        return static_cast<unsigned>(
            std::filesystem::symlink_status(dir_.path() / path).permissions());
    }

private:
    TempDir dir_;
    Store store_;
};

inline std::vector<std::string> strings(const std::vector<base::Name>& names) {
    std::vector<std::string> out;
    out.reserve(names.size());
    for (const auto& name : names) {
        out.push_back(name.str());
    }
    return out;
}

}  // namespace warren::state::test
