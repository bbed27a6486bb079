// Both names: the first time doctest's header is read, which is when it derives one from the other, is
// in the precompiled headers.
#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
