#include "cli/common/table.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace warren::cli {

namespace {

// Code points: continuation bytes of UTF-8 take no column.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    }));
}

}  // namespace

std::string paint(std::string text, Tone tone, bool colour) {
    if (!colour || tone == Tone::Plain) {
        return text;
    }
    const char* code = tone == Tone::Good ? "32" : tone == Tone::Warning ? "33" : "31";
    return std::string("\x1b[") + code + "m" + text + "\x1b[0m";
}

void Table::add(std::vector<Cell> row) {
    for (Cell& cell : row) {
        cell.text = cell.text.empty() ? "-" : base::printable(cell.text);
    }
    rows_.push_back(std::move(row));
}

std::string Table::text(bool colour) const {
    std::vector<Cell> titles;
    for (const Column& column : columns_) {
        titles.emplace_back(column.title);
    }
    std::vector<const std::vector<Cell>*> lines{&titles};
    for (const auto& row : rows_) {
        lines.push_back(&row);
    }
    std::vector<std::size_t> widths(columns_.size(), 0);
    for (const auto* line : lines) {
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            widths[i] = std::max(widths[i], width((*line)[i].text));
        }
    }
    std::string result;
    for (const auto* line : lines) {
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const Cell& cell = (*line)[i];
            const std::string gap(widths[i] - width(cell.text), ' ');
            const bool last = i + 1 == columns_.size();
            result += columns_[i].right ? gap : "";
            result += paint(cell.text, cell.tone, colour);
            result += columns_[i].right || last ? "" : gap;
            result += last ? "\n" : "  ";
        }
    }
    return result;
}

}  // namespace warren::cli
