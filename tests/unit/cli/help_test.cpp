#include "cli/vps/help.hpp"

#include "tests/unit/cli/support.hpp"

namespace warren::cli {

TEST_CASE("help of logs") {
    CHECK(verb_help(*find_verb("logs")) ==
          "warren logs: what a guest's init or command printed\n"
          "\n"
          "Usage: warren logs [-f] [-n N] NAME\n"
          "\n"
          "The guest's console, kept in a file of bounded size: the oldest lines go first.\n"
          "\n"
          "Logs:\n"
          "  -f, --follow                  go on with what is printed, until the guest stops\n"
          "  -n, --lines N                 only the last N lines\n"
          "\n"
          "Example:\n"
          "  warren logs -n 20 web1\n"
          "  warren logs -f web1\n");
}

TEST_CASE("help of stop") {
    CHECK(verb_help(*find_verb("stop")) ==
          "warren stop: stop guests\n"
          "\n"
          "Usage: warren stop [--time SECONDS] NAME... | --all | --label K=V\n"
          "\n"
          "Asks each guest's init to shut down, in the way that init knows; what still runs after "
          "the time\n"
          "is killed. A guest that is stopped already is left as it is.\n"
          "\n"
          "Stopping:\n"
          "      --time SECONDS            how long the guest may take by itself before it is "
          "killed (10)\n"
          "\n"
          "Which guests, instead of names:\n"
          "      --all                     every guest\n"
          "      --label K=V               every guest with this label (repeatable)\n"
          "\n"
          "Output:\n"
          "      --json                    print JSON\n"
          "\n"
          "Example:\n"
          "  warren stop web1\n"
          "  warren stop --time 60 --all\n");
}

TEST_CASE("text is wrapped at blanks") {
    CHECK(wrap("aa bb cc", 5, 0) == "aa bb\ncc\n");
    CHECK(wrap("aa bb cc", 7, 2) == "  aa bb\n  cc\n");
    CHECK(wrap("averylongword b", 5, 0) == "averylongword\nb\n");
}

TEST_CASE("paragraphs") {
    CHECK(paragraphs("").empty());
    CHECK(paragraphs("a b\n\nc") == std::vector<std::string_view>{"a b", "c"});
}

}  // namespace warren::cli
