#include "cgroups/limits_parse.hpp"

#include <algorithm>
#include <utility>

#include "base/units.hpp"
#include "cgroups/block_device.hpp"
#include "cgroups/io_none.hpp"
#include "cgroups/limits.hpp"

namespace warren::cgroups {

namespace {

constexpr std::string_view kNone = "none";

base::Error refuse(std::string_view kind, std::string_view text, std::string_view why) {
    constexpr std::size_t kShown = 64;
    auto shown = std::string(text.substr(0, kShown)) + (text.size() > kShown ? "..." : "");
    return base::usage_error("invalid " + std::string(kind) + " \"" + shown +
                             "\": " + std::string(why));
}

// The pieces of "a,b,c"; an empty piece is a piece.
std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> pieces;
    for (;;) {
        const auto end = text.find(separator);
        pieces.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return pieces;
        }
        text.remove_prefix(end + 1);
    }
}

using CpuRange = std::pair<std::uint64_t, std::uint64_t>;

base::Result<CpuRange> parse_cpu_range(std::string_view piece) {
    constexpr std::uint64_t kCpuMax = 8191;  // NR_CPUS is 8192 at most
    const auto dash = piece.find('-');
    const auto first = TRY(base::parse_uint(piece.substr(0, dash), 0, kCpuMax));
    if (dash == std::string_view::npos) {
        return CpuRange(first, first);
    }
    const auto last = TRY(base::parse_uint(piece.substr(dash + 1), 0, kCpuMax));
    return CpuRange(first, last);
}

std::string format_cpu_ranges(std::vector<CpuRange> ranges) {
    std::sort(ranges.begin(), ranges.end());
    std::vector<CpuRange> merged;
    for (const CpuRange& range : ranges) {
        if (!merged.empty() && range.first <= merged.back().second + 1) {
            merged.back().second = std::max(merged.back().second, range.second);
        } else {
            merged.push_back(range);
        }
    }
    std::string text;
    for (const auto& [first, last] : merged) {
        text += (text.empty() ? "" : ",") + std::to_string(first);
        if (last != first) {
            text += "-" + std::to_string(last);
        }
    }
    return text;
}

// The kernel refuses a rate of 0.
base::Result<Limit> parse_rate(std::string_view key, std::string_view value) {
    if (value == kNone) {
        return Limit::none();
    }
    const bool bytes = key.ends_with("bps");
    const auto rate = bytes ? base::parse_size(value) : base::parse_uint(value, 0, UINT32_MAX);
    if (!rate || rate.value() == 0) {
        return refuse(bytes ? "rate" : "number of operations",
                      value,
                      bytes ? "expected bytes a second like 10M, or none"
                            : "expected operations a second, 1 to 4294967295, or none");
    }
    return Limit::of(rate.value());
}

std::optional<Limit>* rate_member(IoMax& io, std::string_view key) {
    if (key == "rbps") {
        return &io.rbps;
    }
    if (key == "wbps") {
        return &io.wbps;
    }
    if (key == "riops") {
        return &io.riops;
    }
    return key == "wiops" ? &io.wiops : nullptr;
}

// `text` is the whole limit, for the error.
base::Status parse_rates(std::string_view text, std::string_view rates, IoMax& io) {
    for (const auto piece : split(rates, ',')) {
        const auto equals = piece.find('=');
        const auto key = piece.substr(0, equals);
        auto* member = equals == std::string_view::npos ? nullptr : rate_member(io, key);
        if (member == nullptr) {
            return refuse("io limit", text, "expected rbps=, wbps=, riops= or wiops=");
        }
        if (*member) {
            return refuse("io limit", text, std::string(key) + " twice");
        }
        *member = TRY(parse_rate(key, piece.substr(equals + 1)));
    }
    return base::ok();
}

}  // namespace

base::Result<Limit> parse_limit_size(std::string_view text) {
    return text == kNone ? Limit::none() : Limit::of(TRY(base::parse_size(text)));
}

base::Result<Limit> parse_limit_count(std::string_view text) {
    if (text == kNone) {
        return Limit::none();
    }
    const auto count = base::parse_uint(text, 1, kPidsMax);
    if (!count) {
        return refuse("number", text, "expected 1 to " + std::to_string(kPidsMax) + ", or none");
    }
    return Limit::of(count.value());
}

base::Result<Limit> parse_limit_cpus(std::string_view text) {
    return text == kNone ? Limit::none() : Limit::of(TRY(base::parse_cpus(text)));
}

base::Result<std::string> parse_cpuset(std::string_view text) {
    if (text == kNone) {
        return std::string();
    }
    std::vector<CpuRange> ranges;
    for (const auto piece : split(text, ',')) {
        const auto range = parse_cpu_range(piece);
        if (!range || range.value().first > range.value().second) {
            return refuse("cpu list", text, "expected a list like 0-1,3, or none");
        }
        ranges.push_back(range.value());
    }
    return format_cpu_ranges(std::move(ranges));
}

base::Result<IoMax> parse_io_max(std::string_view text) {
    if (text == kNone) {
        return all_io_max_none();
    }
    // The device may have colons of its own, the rates have none.
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
        return refuse("io limit",
                      text,
                      "expected DEVICE:rbps=10M,wbps=10M,riops=N,wiops=N, DEVICE:none, or none");
    }
    IoMax io;
    if (text.substr(colon + 1) == kNone) {
        io.rbps = io.wbps = io.riops = io.wiops = Limit::none();
    } else {
        TRY(parse_rates(text, text.substr(colon + 1), io));
    }
    const auto disk = TRY(find_disk(std::string(text.substr(0, colon))));
    io.major = disk.major;
    io.minor = disk.minor;
    return io;
}

bool is_page_size_name(std::string_view text) {
    if (text.size() < 3 || !text.ends_with('B')) {
        return false;
    }
    const char unit = text[text.size() - 2];
    const auto number = base::parse_uint(text.substr(0, text.size() - 2), 1, 1023);
    return (unit == 'K' || unit == 'M' || unit == 'G') && number && text[0] != '0';
}

base::Result<HugetlbLimit> parse_hugepages(std::string_view text) {
    constexpr std::string_view kExpected = "expected SIZE:COUNT like 2M:100, or SIZE:none";
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) {
        return refuse("huge page limit", text, kExpected);
    }
    const auto size = base::parse_size(text.substr(0, colon));
    if (!size || size.value() < 1024 || (size.value() & (size.value() - 1)) != 0) {
        return refuse("huge page limit", text, kExpected);
    }
    HugetlbLimit limit;
    // A power of two from 1 KiB up: "2M", "1G", "64K"; the kernel's names have a B behind.
    limit.page_size = base::format_size(size.value()) + "B";
    if (!is_page_size_name(limit.page_size)) {
        return refuse("huge page limit", text, "no such page size");
    }
    const auto count = text.substr(colon + 1);
    if (count == kNone) {
        return limit;
    }
    const auto pages = base::parse_uint(count, 0, kBytesMax / size.value());
    if (!pages) {
        return refuse("huge page limit", text, kExpected);
    }
    limit.pages_bytes = Limit::of(pages.value() * size.value());
    return limit;
}

}  // namespace warren::cgroups
