// tools/otasim/choice: the simulator's random choices.
#include "tools/otasim/choice.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

using ota::sim::Choices;

namespace {

std::vector<std::string> names(std::size_t count) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(fmt::format("sim-{:05}", i));
  return result;
}

}  // namespace

TEST_CASE("a choice depends on seed, device, action and purpose, and on nothing else") {
  const Choices choices{7};
  CHECK(choices.bits("a", "1", "p") == Choices{7}.bits("a", "1", "p"));
  CHECK(choices.bits("a", "1", "p") != Choices{8}.bits("a", "1", "p"));
  CHECK(choices.bits("a", "1", "p") != choices.bits("b", "1", "p"));
  CHECK(choices.bits("a", "1", "p") != choices.bits("a", "2", "p"));
  CHECK(choices.bits("a", "1", "p") != choices.bits("a", "1", "q"));
  // The parts do not run into each other.
  CHECK(choices.bits("a1", "", "p") != choices.bits("a", "1", "p"));
}

TEST_CASE("a probability is met within one percent over ten thousand devices") {
  const Choices choices{1};
  for (const double probability : {0.05, 0.3, 0.9}) {
    int happened = 0;
    for (const std::string& name : names(10'000))
      if (choices.happens(probability, name, "1000001", "install-fails")) ++happened;
    CHECK(happened == doctest::Approx(probability * 10'000).epsilon(0.01 / probability));
  }
}

TEST_CASE("probability zero never happens, one always") {
  const Choices choices{1};
  for (const std::string& name : names(1000)) {
    CHECK_FALSE(choices.happens(0, name, "", "p"));
    CHECK(choices.happens(1, name, "", "p"));
  }
}

TEST_CASE("a pick is exact, only of candidates, and a larger one contains a smaller one") {
  const Choices choices{3};
  const auto devices = names(100);
  std::vector<bool> candidates(100, true);
  for (std::size_t i = 0; i < 50; ++i) candidates[i] = false;
  const auto few = choices.pick(devices, candidates, 7, "always-fails");
  const auto more = choices.pick(devices, candidates, 20, "always-fails");
  CHECK(std::count(few.begin(), few.end(), true) == 7);
  CHECK(std::count(more.begin(), more.end(), true) == 20);
  for (std::size_t i = 0; i < 100; ++i) {
    if (few[i]) CHECK(more[i]);
    if (more[i]) CHECK(candidates[i]);
  }
  const auto all = choices.pick(devices, candidates, 1000, "always-fails");
  CHECK(std::count(all.begin(), all.end(), true) == 50);
}
