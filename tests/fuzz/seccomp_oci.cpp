// linux.seccomp of an OCI config. What passes the check must compile or be refused by libseccomp with an error; small
// inputs only, since the library's time grows with the rules.
#include "isolation/seccomp.hpp"
#include "tests/fuzz/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = warren::fuzz::text_of(data, size);
    const bool good = warren::isolation::check_seccomp_oci(text).has_value();
    constexpr std::size_t kSmall = 4096;
    if (size <= kSmall) {
        const auto program = warren::isolation::compile_seccomp(
            {.profile = warren::isolation::SeccompProfile::Oci, .file_text = std::string(text)});
        warren::fuzz::require(good || !program.has_value(), "what is refused does not compile");
    }
    return 0;
}
