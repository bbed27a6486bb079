// What a bus sends: a message that can be read must be written and read again to the same.
#include "cgroups/dbus_message.hpp"

#include "tests/fuzz/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using warren::fuzz::require;
    const auto bytes = warren::fuzz::text_of(data, size);
    const auto first = warren::cgroups::message_from_bytes(bytes);
    if (!first) {
        (void)first.error().describe();
        return 0;
    }
    require(warren::cgroups::dbus_size(bytes).value() == bytes.size(), "its head tells its size");
    const auto second =
        warren::cgroups::message_from_bytes(warren::cgroups::to_bytes(first.value()));
    require(second.has_value(), "a written message can be read");
    require(second.value() == first.value(), "a message read twice is the same");
    return 0;
}
