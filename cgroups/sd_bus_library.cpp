#include "cgroups/sd_bus_library.hpp"

#include <string>

#include <dlfcn.h>

namespace warren::cgroups {

namespace {

constexpr const char* kLibrary = "libsystemd.so.0";

template <typename F>
bool find(void* handle, const char* symbol, F& function) {
    function = reinterpret_cast<F>(::dlsym(handle, symbol));
    return function != nullptr;
}

}  // namespace

base::Result<SdBusLibrary> load_sd_bus() {
    SdBusLibrary bus;
    void* handle = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        return base::Error(
            base::ErrorKind::Unsupported,
            std::string("open ") + kLibrary +
                ": systemd runs here but its library is missing, install libsystemd0");
    }
    bus.handle = std::shared_ptr<void>(handle, [](void* open) { (void)::dlclose(open); });
    const bool complete = find(handle, "sd_bus_new", bus.bus_new) &&
                          find(handle, "sd_bus_set_address", bus.set_address) &&
                          find(handle, "sd_bus_start", bus.start) &&
                          find(handle, "sd_bus_open_system", bus.open_system) &&
                          find(handle, "sd_bus_open_user", bus.open_user) &&
                          find(handle, "sd_bus_flush_close_unref", bus.close) &&
                          find(handle, "sd_bus_match_signal", bus.match_signal) &&
                          find(handle, "sd_bus_process", bus.process) &&
                          find(handle, "sd_bus_wait", bus.wait) &&
                          find(handle, "sd_bus_call", bus.call) &&
                          find(handle, "sd_bus_message_new_method_call", bus.new_call) &&
                          find(handle, "sd_bus_message_append", bus.append) &&
                          find(handle, "sd_bus_message_append_array", bus.append_array) &&
                          find(handle, "sd_bus_message_open_container", bus.open_container) &&
                          find(handle, "sd_bus_message_close_container", bus.close_container) &&
                          find(handle, "sd_bus_message_read", bus.read) &&
                          find(handle, "sd_bus_message_unref", bus.message_unref) &&
                          find(handle, "sd_bus_slot_unref", bus.slot_unref) &&
                          find(handle, "sd_bus_error_free", bus.error_free);
    if (!complete) {
        return base::Error(
            base::ErrorKind::Unsupported,
            std::string(kLibrary) + " lacks a function of sd-bus, update libsystemd0");
    }
    return bus;
}

}  // namespace warren::cgroups
