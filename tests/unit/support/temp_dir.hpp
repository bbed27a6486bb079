// A temporary directory of a test's own. What removes it in the end is not the code under test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include <fcntl.h>

#include <doctest/doctest.h>

#include "base/fd.hpp"

namespace warren::test {

// A new directory, removed with its content at the end.
class TempDir {
public:
    // Below the system's directory for temporary files; or below `parent`, for a test that needs
    // another file system.
    TempDir() : TempDir(std::filesystem::temp_directory_path()) {}

    explicit TempDir(const std::filesystem::path& parent) {
        std::string pattern = (parent / "warren-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
        fd_ = base::Fd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        REQUIRE(fd_.valid());
    }

    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    TempDir(TempDir&&) = delete;
    TempDir& operator=(TempDir&&) = delete;

    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] int fd() const { return fd_.get(); }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    // These three make the directories on the way.
    void write(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name) << text;
    }

    void make_dir(const std::string& name) const {
        std::filesystem::create_directories(path_ / name);
    }

    void link(const std::string& name, const std::string& target) const {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::filesystem::create_symlink(target, path_ / name);
    }

    [[nodiscard]] std::string read(const std::string& name) const {
        std::ostringstream text;
        text << std::ifstream(path_ / name).rdbuf();
        return text.str();
    }

    [[nodiscard]] bool has(const std::string& name) const {
        return std::filesystem::exists(std::filesystem::symlink_status(path_ / name));
    }

private:
    std::filesystem::path path_;
    base::Fd fd_;
};

}  // namespace warren::test
