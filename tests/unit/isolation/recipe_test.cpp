#include "isolation/recipe.hpp"

#include <cstring>
#include <utility>

#include <doctest/doctest.h>

#include "isolation/recipe_builder.hpp"

using namespace warren::isolation;
using child::Op;

TEST_CASE("paths are taken apart into what they name") {
    using List = std::vector<std::string>;
    CHECK(path_components("/a//b/./c/") == List{"a", "b", "c"});
    CHECK(path_components("/").empty());
    CHECK(path_components("/.").empty());
    CHECK(path_components("/a/../b") == List{"a", "..", "b"});
}

TEST_CASE("a recipe owns what its steps point to, also after it has moved") {
    RecipeBuilder builder;
    {
        const std::string name(200, 'h');
        builder.set_hostname(name);
        builder.open_file_system("mounts[0]: mount tmpfs on /x",
                                 130,
                                 {"tmpfs", {{"size", "1m"}, {"noswap", ""}}, 6},
                                 true);
        builder.exec({"/bin/a", "/usr/bin/a"}, {"a", "-x"}, {"K=v"});
    }
    Recipe first = std::move(builder).finish();
    const Recipe recipe = std::move(first);
    REQUIRE(recipe.steps().size() == 3);

    const auto& hostname = recipe.steps()[0];
    CHECK(hostname.op == Op::SetHostname);
    CHECK(hostname.a == 200);
    CHECK(std::string(hostname.s1) == std::string(200, 'h'));

    const auto& mount = recipe.steps()[1];
    CHECK(mount.slot == 130);
    CHECK(mount.a == 6);
    CHECK(mount.flags == child::kOptional);
    CHECK(std::string(mount.s1) == "tmpfs");
    const auto* options = static_cast<const char* const*>(mount.data);
    CHECK(std::string(options[0]) == "size");
    CHECK(std::string(options[1]) == "1m");
    CHECK(std::string(options[2]) == "noswap");
    CHECK(std::string(options[3]).empty());
    CHECK(options[4] == nullptr);
    CHECK(recipe.site(1) == "mounts[0]: mount tmpfs on /x");

    child::ExecData program{};
    std::memcpy(&program, recipe.steps()[2].data, sizeof(program));
    CHECK(std::string(program.candidates[1]) == "/usr/bin/a");
    CHECK(program.candidates[2] == nullptr);
    CHECK(std::string(program.argv[1]) == "-x");
    CHECK(program.argv[2] == nullptr);
    CHECK(std::string(program.env[0]) == "K=v");
    CHECK(recipe.program() == "a");
}

TEST_CASE("a description holds no value of the environment and no control character") {
    RecipeBuilder builder;
    builder.set_hostname("a\nb");
    builder.exec({"/bin/a"}, {"a\x1b[0m"}, {"TOKEN=secret", "PLAIN"});
    const auto text = std::move(builder).finish().describe();
    CHECK(text ==
          "set-hostname \"a\\x0ab\"\n"
          "exec candidates: \"/bin/a\" argv: \"a\\x1b[0m\" env: TOKEN PLAIN\n");
}
