// Making a guest's records and disk, for create and run.
#pragma once

#include "base/lock.hpp"
#include "images/image.hpp"
#include "runtime/engine/context.hpp"
#include "runtime/spec/validate.hpp"
#include "runtime/state/records.hpp"

namespace warren::engine {

// The new guest, still locked.
struct Created {
    base::FileLock lock;
    state::GuestRecord record;
    spec::ValidatedConfig config;  // the record's
};

// Fills in what the image decides (a machine's init) and validates. Nothing is changed.
[[nodiscard]] base::Result<spec::ValidatedConfig> prepare_config(const Context& context,
                                                                 spec::GuestConfig config,
                                                                 const images::ImageStore& images);

// All or nothing. Exists when the name is taken.
[[nodiscard]] base::Result<Created> create_guest(const Context& context,
                                                 const images::ImageStore& images,
                                                 spec::GuestConfig wanted);

}  // namespace warren::engine
