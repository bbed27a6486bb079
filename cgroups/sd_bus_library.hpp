// libsystemd, opened at run time: most launches never need it, and linking it would cost every one of them.
#pragma once

#include <memory>

#include <systemd/sd-bus.h>

#include "base/result.hpp"

namespace warren::cgroups {

// The functions that we call. A value that holds the library open.
struct SdBusLibrary {
    std::shared_ptr<void> handle;
    decltype(&::sd_bus_new) bus_new = nullptr;
    decltype(&::sd_bus_set_address) set_address = nullptr;
    decltype(&::sd_bus_start) start = nullptr;
    decltype(&::sd_bus_open_system) open_system = nullptr;
    decltype(&::sd_bus_open_user) open_user = nullptr;
    decltype(&::sd_bus_flush_close_unref) close = nullptr;
    decltype(&::sd_bus_match_signal) match_signal = nullptr;
    decltype(&::sd_bus_process) process = nullptr;
    decltype(&::sd_bus_wait) wait = nullptr;
    decltype(&::sd_bus_call) call = nullptr;
    decltype(&::sd_bus_message_new_method_call) new_call = nullptr;
    decltype(&::sd_bus_message_append) append = nullptr;
    decltype(&::sd_bus_message_append_array) append_array = nullptr;
    decltype(&::sd_bus_message_open_container) open_container = nullptr;
    decltype(&::sd_bus_message_close_container) close_container = nullptr;
    decltype(&::sd_bus_message_read) read = nullptr;
    decltype(&::sd_bus_message_unref) message_unref = nullptr;
    decltype(&::sd_bus_slot_unref) slot_unref = nullptr;
    decltype(&::sd_bus_error_free) error_free = nullptr;
};

[[nodiscard]] base::Result<SdBusLibrary> load_sd_bus();

}  // namespace warren::cgroups
