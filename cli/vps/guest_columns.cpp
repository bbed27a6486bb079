#include "cli/vps/guest_columns.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/units.hpp"
#include "runtime/engine/oom.hpp"

namespace warren::cli {

namespace {

using engine::GuestBrief;
using engine::GuestStatus;
using engine::GuestView;

std::string join(const std::vector<std::string>& words, std::string_view between) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : std::string(between)) + word;
    }
    return text;
}

Tone tone_of(GuestStatus status) {
    switch (status) {
        case GuestStatus::Running:
            return Tone::Good;
        case GuestStatus::Corrupt:
            return Tone::Bad;
        case GuestStatus::Stopped:
            return Tone::Plain;
        case GuestStatus::Creating:
        case GuestStatus::Starting:
        case GuestStatus::Paused:
        case GuestStatus::Stopping:
        case GuestStatus::Destroying:
            return Tone::Warning;
    }
    return Tone::Plain;
}

// A record's time as it is when it cannot be read as one.
std::string age(const std::string& time, TimePoint now) {
    const base::Result<TimePoint> then = base::parse_time(time);
    if (time.empty() || !then) {
        return time;
    }
    const auto span = std::chrono::duration_cast<std::chrono::seconds>(now - then.value());
    return base::format_age(std::max(span, std::chrono::seconds(0)));
}

std::string limit_of(const std::optional<cgroups::Limit>& limit,
                     std::string (*format)(std::uint64_t)) {
    return limit && !limit->max ? format(limit->value) : "";
}

std::string labels(const GuestView& view) {
    std::vector<std::string> words;
    for (const auto& [key, value] : view.config.labels) {
        words.emplace_back(key).append("=").append(value);
    }
    return join(words, ",");
}

std::string exit_of(const GuestBrief& view) {
    if (!view.last_run) {
        return "";
    }
    const auto& last = *view.last_run;
    if (last.reason == engine::kOutOfMemory) {
        return last.reason;
    }
    return last.exit_code ? std::to_string(*last.exit_code) : last.reason;
}

Cell status_of(const GuestBrief& view) {
    const std::string status(name(view.status));
    if (view.last_run && view.last_run->reason == engine::kOutOfMemory) {
        return Cell(status + ": " + view.last_run->reason, Tone::Bad);
    }
    return Cell(status, tone_of(view.status));
}

std::string plain(std::uint64_t number) {
    return std::to_string(number);
}

constexpr std::array kColumns{
    GuestColumn{"NAME", "its name", [](const GuestBrief& v, TimePoint) { return Cell(v.name); }},
    GuestColumn{"STATUS",
                "running, stopped, paused ...",
                [](const GuestBrief& v, TimePoint) { return status_of(v); }},
    GuestColumn{"IMAGE",
                "the image it is made from",
                [](const GuestBrief& v, TimePoint) { return Cell(v.image); }},
    GuestColumn{"KIND",
                "machine or command",
                [](const GuestView& v, TimePoint) {
                    return Cell(v.config.kind == isolation::GuestKind::Machine ? "machine"
                                                                               : "command");
                }},
    GuestColumn{"PID",
                "its first process on the host",
                [](const GuestBrief& v, TimePoint) {
                    return Cell(v.init_pid ? std::to_string(*v.init_pid) : "");
                },
                true},
    GuestColumn{"IDS",
                "first host id of its range of user ids",
                [](const GuestBrief& v, TimePoint) {
                    return Cell(v.id_base ? std::to_string(*v.id_base) : "");
                },
                true},
    GuestColumn{"WALLS",
                "what weakens its isolation",
                [](const GuestBrief& v, TimePoint) {
                    return Cell(join(v.weakened, ", "),
                                v.weakened.empty() ? Tone::Plain : Tone::Warning);
                }},
    GuestColumn{"AGE",
                "how long it has been running",
                [](const GuestBrief& v, TimePoint now) { return Cell(age(v.started, now)); }},
    GuestColumn{"STARTED",
                "when it was started",
                [](const GuestBrief& v, TimePoint) { return Cell(v.started); }},
    GuestColumn{"CREATED",
                "how long ago it was created",
                [](const GuestView& v, TimePoint now) { return Cell(age(v.created, now)); }},
    GuestColumn{"HOSTNAME",
                "its host name, where it is not its name",
                [](const GuestView& v, TimePoint) { return Cell(v.config.hostname); }},
    GuestColumn{"COMMAND",
                "its init or command",
                [](const GuestView& v, TimePoint) { return Cell(join(v.config.command, " ")); }},
    GuestColumn{"CPUS",
                "its limit of CPU time",
                [](const GuestView& v, TimePoint) {
                    return Cell(limit_of(v.config.limits.cpu_max_micros, base::format_cpus));
                },
                true},
    GuestColumn{"MEMORY",
                "its limit of memory",
                [](const GuestView& v, TimePoint) {
                    return Cell(limit_of(v.config.limits.memory_max, base::format_size));
                },
                true},
    GuestColumn{"PIDS",
                "its limit of processes",
                [](const GuestView& v, TimePoint) {
                    return Cell(limit_of(v.config.limits.pids_max, plain));
                },
                true},
    GuestColumn{
        "LABELS", "its labels", [](const GuestView& v, TimePoint) { return Cell(labels(v)); }},
    GuestColumn{"CGROUP",
                "its cgroup below the v2 mount",
                [](const GuestBrief& v, TimePoint) { return Cell(v.cgroup); }},
    GuestColumn{"EXIT",
                "the exit code of its last run",
                [](const GuestBrief& v, TimePoint) { return Cell(exit_of(v)); }},
    GuestColumn{"PENDING",
                "options that wait for a restart",
                [](const GuestView& v, TimePoint) { return Cell(join(v.pending, ", ")); }},
    GuestColumn{"PROBLEM",
                "why its record could not be read",
                [](const GuestBrief& v, TimePoint) { return Cell(v.problem, Tone::Bad); }},
};

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) {
        return static_cast<char>(std::toupper(c));
    });
    return result;
}

base::Result<GuestColumn> find_column(std::string_view title) {
    std::string known;
    for (const GuestColumn& column : kColumns) {
        if (column.title == upper(title)) {
            return column;
        }
        known += (known.empty() ? "" : ", ") + std::string(column.title);
    }
    return base::usage_error("unknown column '" + std::string(title) + "' (known: " + known + ")");
}

Cell cell_of(const GuestColumn& column, const GuestBrief& view, TimePoint now) {
    return std::get<GuestColumn::Brief>(column.cell)(view, now);
}

Cell cell_of(const GuestColumn& column, const GuestView& view, TimePoint now) {
    return std::visit([&](const auto cell) { return cell(view, now); }, column.cell);
}

template <typename View>
std::string table_of(const std::vector<View>& views,
                     const std::vector<GuestColumn>& columns,
                     TimePoint now,
                     bool colour) {
    std::vector<Column> heads;
    heads.reserve(columns.size());
    for (const GuestColumn& column : columns) {
        heads.push_back({std::string(column.title), column.right});
    }
    Table table(std::move(heads));
    for (const View& view : views) {
        std::vector<Cell> row;
        row.reserve(columns.size());
        for (const GuestColumn& column : columns) {
            row.push_back(cell_of(column, view, now));
        }
        table.add(std::move(row));
    }
    return table.text(colour);
}

}  // namespace

std::span<const GuestColumn> guest_columns() {
    return kColumns;
}

base::Result<std::vector<GuestColumn>> parse_columns(std::string_view text) {
    std::vector<GuestColumn> columns;
    while (true) {
        const std::size_t comma = text.find(',');
        columns.push_back(TRY(find_column(text.substr(0, comma))));
        if (comma == std::string_view::npos) {
            return columns;
        }
        text.remove_prefix(comma + 1);
    }
}

std::string guest_table(const std::vector<GuestView>& views,
                        const std::vector<GuestColumn>& columns,
                        TimePoint now,
                        bool colour) {
    return table_of(views, columns, now, colour);
}

std::string guest_table(const std::vector<GuestBrief>& views,
                        const std::vector<GuestColumn>& columns,
                        TimePoint now,
                        bool colour) {
    return table_of(views, columns, now, colour);
}

}  // namespace warren::cli
