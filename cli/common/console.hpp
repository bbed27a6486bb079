// The program's own output: text or JSON on standard output, one line an error on standard error.
#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace warren::cli {

// Borrows its descriptors. A failed write is remembered and comes out of status().
class Console {
public:
    struct Settings {
        int out = 1;
        int err = 2;
        bool out_terminal = false;
        bool err_terminal = false;
        bool colour = false;  // on `out`
    };

    // `program` leads every error line.
    Console(std::string program, const Settings& settings)
        : program_(std::move(program)), settings_(settings) {}

    // By isatty(3), NO_COLOR and TERM.
    [[nodiscard]] static Settings probe();

    // A progress line may stand on the terminal from now on: it is wiped before anything is printed there.
    void share_terminal() { shared_ = true; }

    void print(std::string_view text);
    void print_json(const base::Json& value);
    // "PROGRAM: SCOPE: text". The scope is a verb and what it is at: "start web1".
    // Text that leads with the scope already does not get it twice.
    void error(std::string_view scope, std::string_view text);
    void error(std::string_view scope, const base::Error& error);

    [[nodiscard]] const Settings& settings() const { return settings_; }

    [[nodiscard]] const std::string& program() const { return program_; }

    [[nodiscard]] base::Status status() const;

private:
    [[nodiscard]] std::string wipe(bool on_terminal) const;
    std::string program_;
    Settings settings_;
    int write_errno_ = 0;
    bool shared_ = false;
};

}  // namespace warren::cli
