#include "base/digest.hpp"

#include <array>

// Deprecated in favour of EVP, and kept: see the header.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

namespace warren::base {

void Sha256::Free::operator()(SHA256state_st* context) const {
    delete context;
}

Sha256::Sha256() : context_(new SHA256_CTX) {
    usable_ = ::SHA256_Init(context_.get()) == 1;
}

void Sha256::update(std::span<const std::byte> bytes) {
    usable_ = usable_ && ::SHA256_Update(context_.get(), bytes.data(), bytes.size()) == 1;
}

void Sha256::update(std::string_view bytes) {
    update(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

Result<std::string> Sha256::hex() {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    const bool done = usable_ && ::SHA256_Final(digest.data(), context_.get()) == 1;
    usable_ = false;
    if (!done) {
        return fail("compute sha256: libcrypto refused");
    }
    std::string text;
    text.reserve(2 * digest.size());
    for (const unsigned char byte : digest) {
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 0xfU];
    }
    return text;
}

Result<std::string> sha256_hex(std::string_view bytes) {
    Sha256 digest;
    digest.update(bytes);
    return digest.hex();
}

}  // namespace warren::base
