// The gate between wishes and plans: a ValidatedConfig can only be made by validate(). Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "runtime/spec/guest_config.hpp"
#include "runtime/spec/host_caps.hpp"

namespace warren::spec {

struct Problem {
    std::string place;  // in the command line's words: "--memory", "--mount 2" (the second), "NAME"
    std::string text;
    base::ErrorKind kind = base::ErrorKind::Usage;
    bool operator==(const Problem&) const = default;
};

class ValidatedConfig {
public:
    [[nodiscard]] const GuestConfig& get() const { return config_; }

private:
    friend base::Result<ValidatedConfig> validate(GuestConfig config, const HostCaps& host);

    explicit ValidatedConfig(GuestConfig config) : config_(std::move(config)) {}

    GuestConfig config_;
};

// Every problem at once, in a fixed order: first what is wrong in itself (Usage), then what this host cannot do.
[[nodiscard]] std::vector<Problem> find_problems(const GuestConfig& config, const HostCaps& host);
// The first problem as the error, the others as its secondary errors.
[[nodiscard]] base::Result<ValidatedConfig> validate(GuestConfig config, const HostCaps& host);

}  // namespace warren::spec
