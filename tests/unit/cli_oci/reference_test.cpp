#include "cli/oci/reference.hpp"

#include <algorithm>

#include "tests/unit/cli_oci/support.hpp"

namespace warren::cli::oci {

namespace {

std::string filled(const std::string& name) {
    const std::string path = std::string(WARREN_PACKAGING "/") + name;
    return fill_reference(base::read_file_at(AT_FDCWD, path).value()).value();
}

std::string dashes_escaped(std::string text) {
    for (std::size_t at = text.find('-'); at != std::string::npos; at = text.find('-', at + 2)) {
        text.replace(at, 1, "\\-");
    }
    return text;
}

template <typename Check>
void for_every_option(const Check& check) {
    for (const Verb* verb : verbs()) {
        for (const OptionGroup& group : verb->groups) {
            for (const Option& option : group.options) {
                CAPTURE(verb->name);
                CAPTURE(option.name);
                check(std::string(verb->name), option);
            }
        }
    }
}

// The text between `from` and the next `to`.
std::string part(const std::string& text, const std::string& from, const std::string& to) {
    const std::size_t start = text.find(from);
    REQUIRE(start != std::string::npos);
    return text.substr(start, text.find(to, start + from.size()) - start);
}

}  // namespace

TEST_CASE("the man page has every verb and every option") {
    const std::string page = filled("man/warren-oci.8.in");
    for (const Verb* verb : verbs()) {
        CHECK(page.find(".SS \"warren\\-oci " + std::string(verb->name) + " ") !=
              std::string::npos);
    }
    for_every_option([&](const std::string&, const Option& option) {
        CHECK(page.find("\\fB\\-\\-" + dashes_escaped(std::string(option.name)) + "\\fR") !=
              std::string::npos);
    });
    CHECK(page.find("@@") == std::string::npos);
}

TEST_CASE("bash completes every verb, option and value") {
    const std::string script = filled("completions/warren-oci.bash.in");
    const std::string options = part(script, "_warren_oci_options()", "esac");
    const std::string values = part(script, "_warren_oci_value()", "esac");
    for_every_option([&](const std::string& verb, const Option& option) {
        std::string line = part(options, "    '" + verb + "')", "\n");
        std::replace(line.begin(), line.end(), '\'', ' ');
        const std::string dashed = "--" + std::string(option.name);
        CHECK(line.find(" " + dashed + " ") != std::string::npos);
        const bool has_value = values.find("'" + verb + " " + dashed + "')") != std::string::npos;
        CHECK(has_value == !option.value.empty());
    });
    CHECK(script.find("'kill') echo 'guest'") != std::string::npos);
    CHECK(script.find("'create --bundle') echo 'directory'") != std::string::npos);
    CHECK(script.find("'list --format') echo 'words table json'") != std::string::npos);
    CHECK(script.find("@@") == std::string::npos);
}

TEST_CASE("zsh completes every verb and option") {
    const std::string script = filled("completions/warren-oci.zsh.in");
    for_every_option([&](const std::string& verb, const Option& option) {
        const std::string specs = part(script, "    '" + verb + "') specs=(", ") ;;");
        CHECK(specs.find("--" + std::string(option.name)) != std::string::npos);
    });
    CHECK(script.find("@@") == std::string::npos);
    CHECK_FALSE(fill_reference("@@NONSENSE@@\n").has_value());
}

}  // namespace warren::cli::oci
