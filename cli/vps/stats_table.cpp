#include "cli/vps/stats_table.hpp"

#include <array>
#include <cstdio>
#include <optional>

#include "base/units.hpp"
#include "cli/common/table.hpp"

namespace warren::cli {

namespace {

using Number = std::optional<std::uint64_t>;

std::string size(const Number& bytes) {
    return bytes ? base::format_size(*bytes) : "";
}

std::string count(const Number& number) {
    return number ? std::to_string(*number) : "";
}

std::string seconds(const Number& micros) {
    if (!micros) {
        return "";
    }
    std::array<char, 32> text{};
    (void)std::snprintf(text.data(), text.size(), "%.2fs", static_cast<double>(*micros) / 1e6);
    return text.data();
}

std::string of_limit(const std::string& used, const std::string& limit) {
    return limit.empty() ? used : used + " / " + limit;
}

std::string cpu_share(const engine::StatsView& now, const Reading& before, double elapsed_micros) {
    for (const engine::StatsView& old : before.guests) {
        const Number& start = old.stats.cpu_usage_micros;
        const Number& end = now.stats.cpu_usage_micros;
        if (old.name != now.name || !start || !end || *end < *start || elapsed_micros <= 0) {
            continue;
        }
        std::array<char, 32> text{};
        const double share = 100.0 * static_cast<double>(*end - *start) / elapsed_micros;
        (void)std::snprintf(text.data(), text.size(), "%.1f%%", share);
        return text.data();
    }
    return "";
}

}  // namespace

std::string stats_table(const Reading& now, const Reading& before, bool colour) {
    const std::chrono::duration<double, std::micro> elapsed = now.time - before.time;
    Table table({{"NAME"},
                 {"CPU", true},
                 {"CPU TIME", true},
                 {"MEMORY", true},
                 {"PEAK", true},
                 {"SWAP", true},
                 {"PIDS", true},
                 {"READ", true},
                 {"WRITTEN", true},
                 {"OOM KILLS", true}});
    for (const engine::StatsView& view : now.guests) {
        const cgroups::Stats& stats = view.stats;
        const bool killed = stats.oom_kills.value_or(0) != 0;
        table.add({view.name,
                   cpu_share(view, before, elapsed.count()),
                   seconds(stats.cpu_usage_micros),
                   of_limit(size(stats.memory_bytes), size(stats.memory_max_bytes)),
                   size(stats.memory_peak_bytes),
                   size(stats.swap_bytes),
                   of_limit(count(stats.pids), count(stats.pids_max)),
                   size(stats.io_read_bytes),
                   size(stats.io_write_bytes),
                   {count(stats.oom_kills), killed ? Tone::Bad : Tone::Plain}});
    }
    return table.text(colour);
}

}  // namespace warren::cli
