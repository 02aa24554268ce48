#include "http/artifact_holds.hpp"

#include <doctest/doctest.h>

using namespace ota::http;

TEST_CASE("only the last hold of an artifact may remove it") {
  ArtifactHolds holds;
  const ArtifactHolds::Sha256 one{1};
  const ArtifactHolds::Sha256 two{2};
  int removed = 0;
  const auto remove = [&] { ++removed; };
  holds.hold(one);
  holds.hold(one);
  holds.hold(two);
  holds.release(one, remove);
  CHECK(removed == 0);
  holds.release(two);
  holds.release(one, remove);
  CHECK(removed == 1);
  holds.hold(one);
  holds.release(one, remove);
  CHECK(removed == 2);
}
