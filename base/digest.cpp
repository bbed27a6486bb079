#include "base/digest.hpp"

#include <array>

#include <openssl/evp.h>

namespace warren::base {

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
    ::EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(::EVP_MD_CTX_new()) {
    usable_ =
        context_ != nullptr && ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr) == 1;
}

void Sha256::update(std::span<const std::byte> bytes) {
    usable_ = usable_ && ::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
}

void Sha256::update(std::string_view bytes) {
    update(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

Result<std::string> Sha256::hex() {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    const bool done = usable_ && ::EVP_DigestFinal_ex(context_.get(), digest.data(), &length) == 1;
    usable_ = false;
    if (!done) {
        return fail("compute sha256: libcrypto refused");
    }
    std::string text;
    text.reserve(std::size_t{2} * length);
    for (const unsigned char byte : std::span(digest).first(length)) {
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
