// A guest's own /etc/passwd and /etc/group, and the user that is looked up in them. The input's first line is
// the user, then comes passwd, and group after the first empty line.
#include <string>

#include "runtime/engine/guest_users.hpp"
#include "tests/fuzz/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(warren::fuzz::text_of(data, size));
    const std::size_t first = text.find('\n');
    if (first == std::string::npos) {
        return 0;
    }
    const std::size_t second = text.find("\n\n", first);
    const std::string passwd =
        text.substr(first + 1, second == std::string::npos ? second : second - first);
    const std::string group = second == std::string::npos ? "" : text.substr(second + 2);
    const auto user = warren::engine::resolve_user(text.substr(0, first), passwd, group);
    if (user) {
        warren::fuzz::require(user.value().uid < 65536 && user.value().gid < 65536,
                              "ids are of the guest's range");
        for (const std::uint32_t gid : user.value().groups) {
            warren::fuzz::require(gid < 65536, "groups are of the guest's range");
        }
    } else {
        (void)user.error().describe();
    }
    return 0;
}
