// Aligned text for people. Columns are as wide as their widest cell and two blanks apart; cells are made printable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace warren::cli {

enum class Tone : std::uint8_t { Plain, Good, Warning, Bad };

// `text` in the tone's colour, or as it is.
[[nodiscard]] std::string paint(std::string text, Tone tone, bool colour);

struct Column {
    std::string title;
    bool right = false;  // numbers
};

struct Cell {
    // NOLINTNEXTLINE(google-explicit-constructor): a cell is mostly its text
    Cell(std::string content, Tone its_tone = Tone::Plain)
        : text(std::move(content)), tone(its_tone) {}

    Cell(const char* content) : text(content) {}

    std::string text;
    Tone tone = Tone::Plain;
};

class Table {
public:
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    // As many cells as columns.
    void add(std::vector<Cell> row);
    // With the titles, also when there is no row.
    [[nodiscard]] std::string text(bool colour) const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace warren::cli
