// SHA-256 by OpenSSL's libcrypto, through its SHA256_* functions: linked statically, EVP would bring all of the
// library along, megabytes whose pages every start of the program relocates (docs/adr/0005).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct SHA256state_st;  // OpenSSL's SHA256_CTX

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
        void operator()(SHA256state_st* context) const;
    };

    std::unique_ptr<SHA256state_st, Free> context_;
    bool usable_ = false;
};

[[nodiscard]] Result<std::string> sha256_hex(std::string_view bytes);

}  // namespace warren::base
