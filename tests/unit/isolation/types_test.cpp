#include "isolation/types.hpp"

#include <linux/sched.h>

#include <doctest/doctest.h>

using namespace warren::isolation;

TEST_CASE("namespaces translate to the kernel's flags") {
    CHECK(NamespaceSet::none().clone_flags() == 0);
    CHECK(NamespaceSet::all().clone_flags() ==
          std::uint64_t{CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
                        CLONE_NEWCGROUP | CLONE_NEWUSER | CLONE_NEWTIME});
    auto set = NamespaceSet::none();
    set.add(Namespace::Time);
    set.add(Namespace::Mount);
    CHECK(set.clone_flags() == std::uint64_t{CLONE_NEWNS | CLONE_NEWTIME});
    set.remove(Namespace::Time);
    CHECK_FALSE(set.has(Namespace::Time));
    CHECK(set.clone_flags() == std::uint64_t{CLONE_NEWNS});
}

TEST_CASE("id maps are written as the kernel reads them") {
    const auto map = IdMap::contiguous(1'000'000, 65'536);
    CHECK(IdMap::text(map.uids) == "0 1000000 65536\n");
    CHECK(map.uids == map.gids);
    CHECK(IdMap::text({{0, 100, 1}, {1, 200, 4'294'967'295}}) == "0 100 1\n1 200 4294967295\n");
    CHECK(IdMap::text({}).empty());
}
