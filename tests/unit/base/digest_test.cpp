#include "base/digest.hpp"

#include <doctest/doctest.h>

using namespace warren::base;

TEST_CASE("sha256 gives the published values") {
    CHECK(sha256_hex("").value() ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex("abc").value() ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("pieces digest like the whole, and once") {
    Sha256 digest;
    for (int i = 0; i < 1000; ++i) {
        digest.update(std::string(1000, 'a'));
    }
    digest.update("");
    CHECK(digest.hex().value() ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    CHECK(!digest.hex());
}
