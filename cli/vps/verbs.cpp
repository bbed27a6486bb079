// The command table.
#include <array>

#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

constexpr std::array kImages{
    &kImageBuild, &kImageImport, &kImageList, &kImageInspect, &kImageRm, &kImageVerify};
constexpr std::array kGuests{&kCreate,
                             &kStart,
                             &kRun,
                             &kExec,
                             &kEnter,
                             &kStop,
                             &kRestart,
                             &kKill,
                             &kPause,
                             &kResume,
                             &kSet,
                             &kDestroy};
constexpr std::array kLooking{&kList, &kInspect, &kStats, &kTop, &kLogs, &kDoctor};
constexpr std::array kProgram{&kHelp, &kVersion};

constexpr std::array kVerbGroups{
    VerbGroup{"Images", kImages},
    VerbGroup{"Guests", kGuests},
    VerbGroup{"Looking", kLooking},
    VerbGroup{"Help", kProgram},
};

constexpr std::string_view kImagePrefix = "image";

}  // namespace

std::span<const VerbGroup> verb_groups() {
    return kVerbGroups;
}

const Verb* find_verb(std::string_view name) {
    for (const VerbGroup& group : kVerbGroups) {
        for (const Verb* verb : group.verbs) {
            if (verb->name == name) {
                return verb;
            }
        }
    }
    return nullptr;
}

std::vector<std::string_view> image_verbs() {
    std::vector<std::string_view> words;
    words.reserve(std::size(kImages));
    for (const Verb* verb : kImages) {
        words.push_back(verb->name.substr(kImagePrefix.size() + 1));
    }
    return words;
}

base::Result<FoundVerb> take_verb(const std::vector<std::string>& words) {
    if (words.empty()) {
        return base::usage_error("name a verb (see: warren help)");
    }
    std::string name = words.front();
    std::ptrdiff_t taken = 1;
    if (name == kImagePrefix) {
        if (words.size() < 2) {
            std::string known;
            for (const std::string_view verb : image_verbs()) {
                known += (known.empty() ? "" : ", ") + std::string(verb);
            }
            return base::usage_error("image: name what to do: " + known);
        }
        if (words[1] == "--help") {
            return FoundVerb{&kHelp, {words.front()}};
        }
        name += " " + words[1];
        taken = 2;
    }
    const Verb* verb = find_verb(name);
    if (verb == nullptr) {
        return base::usage_error("unknown verb '" + name + "' (see: warren help)");
    }
    return FoundVerb{verb, {words.begin() + taken, words.end()}};
}

}  // namespace warren::cli
