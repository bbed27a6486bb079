#include "cli/common/manual.hpp"

#include <algorithm>
#include <cctype>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "cli/common/console.hpp"
#include "cli/common/exit_code.hpp"

namespace warren::cli {

std::string roff(std::string_view text) {
    std::string result;
    bool line_starts = true;
    for (const char c : text) {
        if (line_starts && (c == '.' || c == '\'')) {
            result += "\\&";
        }
        line_starts = c == '\n';
        if (c == '\\') {
            result += "\\e";
        } else if (c == '-') {
            result += "\\-";
        } else {
            result += c;
        }
    }
    return result;
}

std::string roff_quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : roff(text)) {
        result += c == '"' ? "\\(dq" : std::string(1, c);
    }
    return result + "\"";
}

std::string man_options(const OptionGroup& group) {
    std::string text;
    for (const Option& option : group.options) {
        const std::string value = option.value.empty() ? "" : " \\fI" + roff(option.value) + "\\fR";
        const std::string letter =
            option.letter == 0 ? "" : std::string("\\fB\\-") + option.letter + "\\fR, ";
        text += ".TP\n" + letter + "\\fB\\-\\-" + roff(option.name) + "\\fR" + value + "\n";
        text += roff(option_text(option)) + "\n";
    }
    return text;
}

std::string man_verb_head(std::string_view command,
                          std::string_view usage,
                          std::string_view summary,
                          std::string_view text) {
    std::string sentence(summary);
    sentence.front() =
        static_cast<char>(std::toupper(static_cast<unsigned char>(sentence.front())));
    std::string result =
        ".SS " + roff_quoted(std::string(command) + " " + std::string(usage)) + "\n";
    result += roff(sentence) + ".\n";
    for (const std::string_view paragraph : paragraphs(text)) {
        result += ".PP\n" + roff(paragraph) + "\n";
    }
    return result;
}

std::string man_example(std::string_view lines) {
    return ".PP\n.nf\n.RS\n" + roff(lines) + "\n.RE\n.fi\n";
}

base::Result<std::string> fill_template(std::string_view text, const FillWord& fill) {
    constexpr std::string_view kMark = "@@";
    std::string result;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.size() > 2 * kMark.size() && line.starts_with(kMark) && line.ends_with(kMark)) {
            result += TRY(fill(line.substr(kMark.size(), line.size() - 2 * kMark.size())));
        } else {
            result += std::string(line) + "\n";
        }
    }
    return result;
}

namespace {

base::Status print_filled(
    const std::string& path,
    const std::function<base::Result<std::string>(std::string_view text)>& fill) {
    const std::string text = TRY(base::read_file_at(AT_FDCWD, path));
    const std::string filled = TRY(base::with_context(fill(text), path));
    return base::write_all(STDOUT_FILENO, filled, "standard output");
}

}  // namespace

int print_filled_template(
    std::string_view program,
    const std::string& path,
    const std::function<base::Result<std::string>(std::string_view text)>& fill) {
    if (const base::Status status = print_filled(path, fill); !status) {
        Console console(std::string(program), {});
        console.error("", status.error());
        return kExitFailed;
    }
    return kExitDone;
}

}  // namespace warren::cli
