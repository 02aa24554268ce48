// The one main of every doctest binary.
//
// Both macros: the precompiled header has doctest's declarations already, and with them the place that would derive the
// first from the second.
#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
