// SHA-256 by OpenSSL's libcrypto. A target of its own (warren::digest), since libcrypto takes
// milliseconds to load and relocate and the launch path has no use for it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace warren::base {

// Takes content piece by piece. A failure inside libcrypto is remembered and comes out of hex().
class Sha256 {
public:
    Sha256();

    void update(std::span<const std::byte> bytes);
    void update(std::string_view bytes);
    // 64 lower-case hex digits. Ends the computation: once only.
    [[nodiscard]] Result<std::string> hex();

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };

    std::unique_ptr<evp_md_ctx_st, Free> context_;
    bool usable_ = false;
};

[[nodiscard]] Result<std::string> sha256_hex(std::string_view bytes);

}  // namespace warren::base
