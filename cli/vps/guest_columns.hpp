// The columns of `warren list`.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "cli/common/table.hpp"
#include "runtime/engine/view.hpp"

namespace warren::cli {

using TimePoint = std::chrono::system_clock::time_point;

struct GuestColumn {
    using Brief = Cell (*)(const engine::GuestBrief& view, TimePoint now);
    using Whole = Cell (*)(const engine::GuestView& view, TimePoint now);

    std::string_view title;  // "STATUS"; typed in any case
    std::string_view text;   // for the help
    std::variant<Brief, Whole> cell;
    bool right = false;

    // It takes no more than what list_brief() tells.
    [[nodiscard]] bool is_brief() const { return std::holds_alternative<Brief>(cell); }
};

[[nodiscard]] std::span<const GuestColumn> guest_columns();
// "name,status"; an unknown column is an error that names it and lists the known ones.
[[nodiscard]] base::Result<std::vector<GuestColumn>> parse_columns(std::string_view text);
// What list shows when nothing was asked for.
inline constexpr std::string_view kDefaultColumns = "NAME,STATUS,IMAGE,IDS,WALLS,AGE";

[[nodiscard]] std::string guest_table(const std::vector<engine::GuestView>& views,
                                      const std::vector<GuestColumn>& columns,
                                      TimePoint now,
                                      bool colour);
// All columns are brief.
[[nodiscard]] std::string guest_table(const std::vector<engine::GuestBrief>& views,
                                      const std::vector<GuestColumn>& columns,
                                      TimePoint now,
                                      bool colour);

}  // namespace warren::cli
