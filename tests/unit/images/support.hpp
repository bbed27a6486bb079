// What the tests of images share: a temporary directory, a store in it, and archives made byte by
// byte.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "base/fd.hpp"
#include "images/image.hpp"
#include "tests/unit/support/temp_dir.hpp"

namespace warren::images::test {

namespace fs = std::filesystem;

// For what only root may do. Says so and leaves the test.
#define NEEDS_ROOT()                        \
    do {                                    \
        if (::geteuid() != 0) {             \
            MESSAGE("skipped: needs root"); \
            return;                         \
        }                                   \
    } while (false)

using warren::test::TempDir;

inline base::Name image_name(const std::string& text) {
    return base::Name::parse_image(text).value();
}

inline std::string read_file(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

inline void write_file(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
}

inline struct stat look(const fs::path& path) {
    struct stat info {};

    REQUIRE_MESSAGE(::lstat(path.c_str(), &info) == 0, path.string());
    return info;
}

// A memory file with these bytes, at its start.
inline base::Fd memory_file(const std::string& bytes) {
    base::Fd fd(::memfd_create("test", MFD_CLOEXEC));
    REQUIRE(base::write_all(fd.get(), bytes, "memory file").has_value());
    REQUIRE(::lseek(fd.get(), 0, SEEK_SET) == 0);
    return fd;
}

struct TarEntry {
    std::string name;
    char type = '0';
    std::string content;
    std::string link;
    unsigned mode = 0644;
    unsigned uid = ::geteuid();
    unsigned gid = ::getegid();
    long mtime = 1'600'000'000;
    unsigned major = 0, minor = 0;
    std::map<std::string, std::string> pax;
};

// POSIX ustar with pax headers, by hand: the archives of these tests are what they say, whatever a
// library thinks of it.
class Tar {
public:
    Tar& add(const TarEntry& entry) {
        if (!entry.pax.empty()) {
            std::string records;
            for (const auto& [key, value] : entry.pax) {
                records += record(key, value);
            }
            block({.name = "pax", .type = 'x', .content = records});
        }
        block(entry);
        return *this;
    }

    Tar& file(const std::string& name, const std::string& content) {
        return add({.name = name, .content = content});
    }

    Tar& dir(const std::string& name, unsigned mode = 0755) {
        return add({.name = name, .type = '5', .mode = mode});
    }

    Tar& link(const std::string& name, const std::string& target) {
        return add({.name = name, .type = '2', .link = target});
    }

    Tar& hardlink(const std::string& name, const std::string& target) {
        return add({.name = name, .type = '1', .link = target});
    }

    // With the end mark.
    [[nodiscard]] std::string bytes() const { return bytes_ + std::string(1024, '\0'); }

    [[nodiscard]] const std::string& open_bytes() const { return bytes_; }

private:
    static std::string record(const std::string& key, const std::string& value) {
        const std::string rest = " " + key + "=" + value + "\n";
        std::size_t length = rest.size() + 1;
        while (std::to_string(length).size() + rest.size() != length) {
            ++length;
        }
        return std::to_string(length) + rest;
    }

    static void put(std::string& header,
                    std::size_t at,
                    std::size_t width,
                    const std::string& text) {
        header.replace(at, std::min(width, text.size()), text.substr(0, width));
    }

    static void put_octal(std::string& header,
                          std::size_t at,
                          std::size_t width,
                          unsigned long long value) {
        std::string digits(width - 1, '0');
        for (std::size_t i = width - 1; i > 0 && value > 0; --i, value /= 8) {
            digits[i - 1] = static_cast<char>('0' + value % 8);
        }
        put(header, at, width - 1, digits);
    }

    void block(const TarEntry& entry) {
        std::string header(512, '\0');
        put(header, 0, 100, entry.name);
        put_octal(header, 100, 8, entry.mode);
        put_octal(header, 108, 8, entry.uid);
        put_octal(header, 116, 8, entry.gid);
        put_octal(header, 124, 12, entry.content.size());
        put_octal(header, 136, 12, static_cast<unsigned long long>(entry.mtime));
        header[156] = entry.type;
        put(header, 157, 100, entry.link);
        put(header, 257, 8, std::string("ustar\00000", 8));
        put_octal(header, 329, 8, entry.major);
        put_octal(header, 337, 8, entry.minor);
        put(header, 148, 8, "        ");
        unsigned sum = 0;
        for (const char c : header) {
            sum += static_cast<unsigned char>(c);
        }
        put_octal(header, 148, 7, sum);
        header[155] = ' ';
        bytes_ += header + entry.content;
        bytes_.resize((bytes_.size() + 511) / 512 * 512);
    }

    std::string bytes_;
};

// A store in a directory of its own.
class Store {
public:
    base::Result<ImageInfo> import(const std::string& name,
                                   const std::string& bytes,
                                   const ImportLimits& limits = {}) {
        const base::Fd fd = memory_file(bytes);
        return store_.import_archive(image_name(name), fd.get(), "import test", limits, {});
    }

    // The error's text; the import must fail and leave nothing.
    std::string refuse(const std::string& bytes, const ImportLimits& limits = {}) {
        const auto imported = import("refused", bytes, limits);
        REQUIRE(!imported.has_value());
        CHECK(is_empty());
        return imported.error().describe();
    }

    [[nodiscard]] bool is_empty() const {
        return fs::is_empty(dir_.path() / "images") && object_count() == 0;
    }

    [[nodiscard]] std::size_t object_count() const {
        std::size_t count = 0;
        for (const auto& entry : fs::recursive_directory_iterator(dir_.path() / "objects")) {
            count += entry.is_regular_file() ? 1U : 0U;
        }
        return count;
    }

    [[nodiscard]] fs::path root(const std::string& name) const {
        return dir_.path() / "images" / name / "root";
    }

    [[nodiscard]] const fs::path& path() const { return dir_.path(); }

    [[nodiscard]] const ImageStore& operator*() const { return store_; }

    [[nodiscard]] const ImageStore* operator->() const { return &store_; }

    [[nodiscard]] int data() const { return dir_.fd(); }

private:
    TempDir dir_;
    ImageStore store_ = ImageStore::open(dir_.fd()).value();
};

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace warren::images::test
