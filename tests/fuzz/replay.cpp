// Runs the target once over every file of the directories given: the corpus as a regression test.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/fuzz/target.hpp"

namespace {

bool replay(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file) {
        (void)std::fprintf(stderr, "cannot read %s\n", path.c_str());
        return false;
    }
    (void)LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    int replayed = 0;
    for (int i = 1; i < argc; ++i) {
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            if (!replay(entry.path())) {
                return 1;
            }
            ++replayed;
        }
    }
    (void)std::printf("%d inputs replayed\n", replayed);
    return replayed > 0 ? 0 : 1;
}
