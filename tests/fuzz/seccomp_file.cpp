// A seccomp profile in the containers' JSON format. Only the check, which is what stands between a file and
// libseccomp: compiling takes milliseconds.
#include "isolation/seccomp.hpp"
#include "tests/fuzz/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)warren::isolation::check_seccomp_file(warren::fuzz::text_of(data, size));
    return 0;
}
