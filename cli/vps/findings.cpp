#include "cli/vps/findings.hpp"

#include <algorithm>

#include "base/result.hpp"
#include "cli/common/table.hpp"

namespace warren::cli {

namespace {

using engine::Finding;

struct Mark {
    std::string word;
    Tone tone;
};

Mark mark_of(Finding::Level level) {
    switch (level) {
        case Finding::Level::Ok:
            return {"ok    ", Tone::Good};
        case Finding::Level::Info:
            return {"info  ", Tone::Plain};
        case Finding::Level::Warning:
            return {"warn  ", Tone::Warning};
        case Finding::Level::Cannot:
            return {"cannot", Tone::Bad};
    }
    return {"cannot", Tone::Bad};
}

std::string count(const std::vector<Finding>& findings, Finding::Level level) {
    return std::to_string(std::count_if(
        findings.begin(), findings.end(), [level](const Finding& f) { return f.level == level; }));
}

std::string summary(const std::vector<Finding>& findings) {
    const std::string warnings = count(findings, Finding::Level::Warning);
    const char* verdict =
        host_can(findings) ? "guests can run on this host: " : "no guest can run on this host: ";
    return verdict + count(findings, Finding::Level::Ok) + " ok, " + warnings +
           (warnings == "1" ? " warning, " : " warnings, ") +
           count(findings, Finding::Level::Cannot) + " cannot\n";
}

}  // namespace

std::string findings_text(const std::vector<Finding>& findings, bool colour) {
    std::string text;
    std::string group;
    for (const Finding& finding : findings) {
        if (finding.group != group) {
            group = finding.group;
            text += (text.empty() ? "" : "\n") + base::printable(group) + "\n";
        }
        const Mark mark = mark_of(finding.level);
        text +=
            "  " + paint(mark.word, mark.tone, colour) + "  " + base::printable(finding.subject);
        text += finding.state.empty() ? "\n" : ": " + base::printable(finding.state) + "\n";
        if (!finding.remedy.empty()) {
            text += "          -> " + base::printable(finding.remedy) + "\n";
        }
    }
    return text + (text.empty() ? "" : "\n") + summary(findings);
}

bool host_can(const std::vector<Finding>& findings) {
    return std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
        return finding.essential && finding.level == Finding::Level::Cannot;
    });
}

}  // namespace warren::cli
