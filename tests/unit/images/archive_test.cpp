#include <archive.h>
#include <archive_entry.h>

#include "images/archive_reader.hpp"
#include "support.hpp"

using namespace warren;
using namespace warren::images;
using namespace warren::images::test;

namespace {

using AddFilter = int (*)(archive*);

// The bytes through one of libarchive's compressors.
std::string compress(const std::string& bytes, AddFilter add_filter) {
    std::string out;
    archive* writer = archive_write_new();
    REQUIRE(add_filter(writer) == ARCHIVE_OK);
    REQUIRE(archive_write_set_format_raw(writer) == ARCHIVE_OK);
    archive_write_set_bytes_in_last_block(writer, 1);
    const auto write = [](archive*, void* to, const void* from, std::size_t size) -> la_ssize_t {
        static_cast<std::string*>(to)->append(static_cast<const char*>(from), size);
        return static_cast<la_ssize_t>(size);
    };
    REQUIRE(archive_write_open(writer, &out, nullptr, write, nullptr) == ARCHIVE_OK);
    archive_entry* entry = archive_entry_new();
    archive_entry_set_filetype(entry, AE_IFREG);
    REQUIRE(archive_write_header(writer, entry) == ARCHIVE_OK);
    REQUIRE(archive_write_data(writer, bytes.data(), bytes.size()) ==
            static_cast<la_ssize_t>(bytes.size()));
    archive_entry_free(entry);
    REQUIRE(archive_write_close(writer) == ARCHIVE_OK);
    archive_write_free(writer);
    return out;
}

struct Compressor {
    const char* name;
    AddFilter add_filter;
    bool has_checksum;  // that libarchive verifies
};

const std::vector<Compressor> kCompressors{
    {"gzip", archive_write_add_filter_gzip, false},
    {"xz", archive_write_add_filter_xz, true},
    {"zstd", archive_write_add_filter_zstd, false},
    {"bzip2", archive_write_add_filter_bzip2, true},
    {"lz4", archive_write_add_filter_lz4, false},
};

std::string noise(std::size_t size) {
    std::string out(size, '\0');
    unsigned state = 12345;
    for (char& c : out) {
        state = state * 1103515245U + 12345U;
        c = static_cast<char>(state >> 16U);
    }
    return out;
}

Tar sample() {
    Tar tar;
    tar.dir("d").file("d/f", noise(3000)).link("l", "d/f").hardlink("h", "d/f");
    tar.add({.name = "pax",
             .content = "p",
             .pax = {{"path", "a/long/name"}, {"mtime", "1600000000.123456789"}}});
    // Zeros at the end of an entry look like an end mark.
    return tar.file("zeros", std::string(2048, '\0')).file("last", "x");
}

}  // namespace

TEST_CASE("every compression is read") {
    const std::string plain = sample().bytes();
    for (const Compressor& compressor : kCompressors) {
        CAPTURE(compressor.name);
        Store store;
        const auto info = store.import("c", compress(plain, compressor.add_filter));
        REQUIRE_MESSAGE(info.has_value(), info.error().describe());
        CHECK(read_file(store.root("c") / "d/f") == noise(3000));
        const auto pax = look(store.root("c") / "a/long/name");
        CHECK(pax.st_mtim.tv_nsec == 123456789);
    }
}

TEST_CASE("an archive that ends early is an error wherever it ends") {
    const std::string whole = sample().bytes();
    Store store;
    // Without the second block of zeros it is complete for every tar.
    for (std::size_t size = 0; size + 1024 <= whole.size(); size += 512) {
        CAPTURE(size);
        const std::string text = store.refuse(whole.substr(0, size));
        CHECK_MESSAGE(contains(text, "read archive"), text);
    }
    for (const std::size_t size : {std::size_t{1},
                                   std::size_t{100},
                                   std::size_t{511},
                                   std::size_t{700},
                                   whole.size() - 1025}) {
        CAPTURE(size);
        CHECK(contains(store.refuse(whole.substr(0, size)), "read archive"));
    }
    CHECK(store.import("whole", whole).has_value());
    CHECK(store.import("one-block", whole.substr(0, whole.size() - 512)).has_value());
}

TEST_CASE("a compressed archive that ends early or is damaged is an error") {
    const std::string plain = Tar().file("f", noise(20000)).bytes();
    for (const Compressor& compressor : kCompressors) {
        CAPTURE(compressor.name);
        const std::string whole = compress(plain, compressor.add_filter);
        Store store;
        for (const std::size_t missing : {std::size_t{1},
                                          std::size_t{4},
                                          std::size_t{9},
                                          whole.size() / 2,
                                          whole.size() - 20}) {
            CAPTURE(missing);
            CHECK(contains(store.refuse(whole.substr(0, whole.size() - missing)), "read archive"));
        }
        if (compressor.has_checksum) {
            std::string damaged = whole;
            damaged[whole.size() / 2] = static_cast<char>(damaged[whole.size() / 2] ^ 0x55);
            CHECK(contains(store.refuse(damaged), "read archive"));
        }
    }
}

TEST_CASE("what is no archive is an error that says so") {
    Store store;
    CHECK(contains(store.refuse(""), "it is empty"));
    CHECK(contains(store.refuse("hello"), "it is not a tar archive"));
    CHECK(contains(store.refuse(noise(100000)), "read archive"));
    CHECK(contains(store.refuse(std::string(10240, '\0')), "it has no entries"));
    CHECK(contains(store.refuse(Tar().file("a", "b").bytes() + "trailing"),
                   "data behind its end mark"));
    CHECK(contains(store.refuse(Tar().file("a", "b").bytes() + Tar().file("c", "d").bytes()),
                   "data behind its end mark"));
    CHECK(Store()
              .import("padded", Tar().file("a", "b").bytes() + std::string(9216, '\0'))
              .has_value());
    Tar bad_sum;
    std::string bytes = bad_sum.file("a", "b").file("c", "d").bytes();
    bytes[1024 + 3] = 'x';
    CHECK(contains(store.refuse(bytes), "read archive"));
}

TEST_CASE("a directory is no archive") {
    Store store;
    const auto imported =
        store->import_archive(image_name("dir"), store.data(), "import .", {}, {});
    REQUIRE(!imported.has_value());
    CHECK(contains(imported.error().describe(), "read archive"));
    CHECK(store.is_empty());
}

TEST_CASE("a bomb of compression is stopped at the limit, before it is on the disk") {
    const std::string bomb = compress(Tar().file("f", std::string(40U << 20U, 'x')).bytes(),
                                      archive_write_add_filter_gzip);
    CHECK(bomb.size() < (1U << 20U));
    Store store;
    CHECK(contains(store.refuse(bomb, {.file_bytes = 1U << 20U}), "file is larger"));
    CHECK(contains(store.refuse(bomb, {.total_bytes = 1U << 20U}), "files are larger"));
    // The stream itself is bounded, whatever its entries say.
    const base::Fd fd = memory_file(bomb);
    const auto reader = ArchiveReader::open(fd.get(), 100'000);
    REQUIRE(reader.has_value());
    auto entry = reader.value()->next();
    REQUIRE(entry.has_value());
    auto chunk = reader.value()->read();
    while (chunk && chunk.value()) {
        chunk = reader.value()->read();
    }
    REQUIRE(!chunk.has_value());
    CHECK(contains(chunk.error().describe(), "unpacks to more than 100000 bytes"));
}

TEST_CASE("holes stay holes and read as zeros") {
    // GNU sparse format 1.0 by pax: the map, then the data.
    std::string map = "2\n0\n5\n1048576\n3\n";
    map.resize(512);
    Tar tar;
    tar.add({.name = "GNUSparseFile.0/s",
             .content = map + "hello" + "end",
             .pax = {{"GNU.sparse.major", "1"},
                     {"GNU.sparse.minor", "0"},
                     {"GNU.sparse.name", "s"},
                     {"GNU.sparse.realsize", "67108864"}}});
    Store store;
    const auto info = store.import("sparse", tar.bytes());
    REQUIRE_MESSAGE(info.has_value(), info.error().describe());
    const fs::path file = store.root("sparse") / "s";
    const auto look_at = look(file);
    CHECK(look_at.st_size == 67108864);
    CHECK(look_at.st_blocks * 512 < 1 << 20);
    std::ifstream in(file);
    std::string head(8, 'x');
    in.read(head.data(), 8);
    CHECK(head == std::string("hello\0\0\0", 8));
    in.seekg(1048576);
    in.read(head.data(), 4);
    CHECK(head.substr(0, 4) == std::string("end\0", 4));
    CHECK(store->verify({}, {}).value().empty());
    CHECK(contains(Store().refuse(tar.bytes(), {.file_bytes = 1U << 20U}), "file is larger"));
}
