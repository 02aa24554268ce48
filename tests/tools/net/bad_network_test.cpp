// tools/otasim/net/bad_network: what is drawn for a request.
#include "tools/otasim/net/bad_network.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace ota::sim;
using namespace std::chrono_literals;

TEST_CASE("on a good network nothing happens") {
  for (std::uint64_t request = 0; request < 1000; ++request)
    CHECK_FALSE(draw_fault({}, Choices{7}, "sim-1", request));
}

TEST_CASE("faults come as often as they should, everywhere in a request and its answer") {
  NetworkFaults faults;
  faults.loss = 0.05;
  faults.stall = 0.10;
  faults.reset = 0.02;
  faults.half_open = 0.01;
  constexpr int kRequests = 100'000;
  std::map<FaultKind, int> kinds;
  std::map<std::pair<FaultKind, FaultPlace>, int> places;
  int late = 0;
  for (std::uint64_t request = 0; request < kRequests; ++request) {
    const auto fault = draw_fault(faults, Choices{7}, "sim-1", request);
    if (!fault) continue;
    ++kinds[fault->kind];
    ++places[{fault->kind, fault->place}];
    if (fault->fraction >= 0.5) ++late;
    CHECK(fault->fraction >= 0);
    CHECK(fault->fraction < 1);
    CHECK((fault->pause > 0ms) == (fault->kind == FaultKind::kStall));
    CHECK(fault->pause <= faults.stall_max);
  }
  const auto about = [](int count, double share) {
    return count > 0.9 * share * kRequests && count < 1.1 * share * kRequests;
  };
  CHECK(about(kinds[FaultKind::kLoss], 0.05));
  CHECK(about(kinds[FaultKind::kStall], 0.10));
  CHECK(about(kinds[FaultKind::kReset], 0.02));
  CHECK(about(kinds[FaultKind::kHalfOpen], 0.01));
  CHECK(about(late, 0.09));
  CHECK(about(places[std::pair{FaultKind::kLoss, FaultPlace::kInRequest}], 0.025));
  CHECK(about(places[std::pair{FaultKind::kStall, FaultPlace::kInRequest}], 0.1 / 3));
  CHECK(about(places[std::pair{FaultKind::kStall, FaultPlace::kBeforeAnswer}], 0.1 / 3));
  CHECK(about(places[std::pair{FaultKind::kStall, FaultPlace::kInAnswer}], 0.1 / 3));
}

TEST_CASE("a network that loses everything loses everything") {
  NetworkFaults faults;
  faults.loss = 1;
  for (std::uint64_t request = 0; request < 1000; ++request)
    CHECK(draw_fault(faults, Choices{7}, "sim-1", request)->kind == FaultKind::kLoss);
}

TEST_CASE("the same device meets the same faults again, another one others") {
  NetworkFaults faults;
  faults.reset = 0.5;
  int same = 0;
  int like_the_other = 0;
  for (std::uint64_t request = 0; request < 1000; ++request) {
    const auto drawn = draw_fault(faults, Choices{7}, "sim-1", request).has_value();
    if (drawn == draw_fault(faults, Choices{7}, "sim-1", request).has_value()) ++same;
    if (drawn == draw_fault(faults, Choices{7}, "sim-2", request).has_value()) ++like_the_other;
  }
  CHECK(same == 1000);
  CHECK(like_the_other < 600);
}
