#include "cgroups/io_none.hpp"

#include <utility>

namespace warren::cgroups {

namespace {

IoMax none_of(std::uint32_t major, std::uint32_t minor) {
    const Limit none = Limit::none();
    return {major, minor, none, none, none, none};
}

}  // namespace

IoMax all_io_max_none() {
    return none_of(0, 0);
}

void expand_io_max_none(Limits& update, const Limits& before) {
    Limits expanded;
    for (const IoMax& io : update.io_max) {
        if (io != all_io_max_none()) {
            Limits one;
            one.io_max = {io};
            expanded.merge(one);
            continue;
        }
        expanded.io_max.clear();
        for (const IoMax& old : before.io_max) {
            expanded.io_max.push_back(none_of(old.major, old.minor));
        }
    }
    update.io_max = std::move(expanded.io_max);
}

}  // namespace warren::cgroups
