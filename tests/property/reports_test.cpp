// Reports may be lost, repeated and reordered: whatever arrives, in whatever order, an attempt ends
// the same way.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "tests/domain/given.hpp"
#include "tests/property/generators.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

// What must not depend on the order.
struct Class {
  UpdateStatus status = UpdateStatus::kScheduled;
  std::uint32_t attempt = 0;
  std::uint32_t retry_count = 0;
  std::uint32_t spared_retries = 0;
  bool waits_for_retry = false;
  std::string error_code;
  std::uint32_t progress = 0;
  bool operator==(const Class&) const = default;
};

// The second attempt of an update, after these reports.
Class after(const std::vector<Report>& reports) {
  DeviceUpdate s =
      given({first_grant(), started(), failed_until(kBefore), retry_grant(2)}).update();
  const Settings settings;
  Position position = s.position;
  for (const auto& report : reports) {
    const auto decision = decide(s, report, {kNow, {}, settings});
    if (!decision) continue;
    for (const auto& e : decision.value()) {
      position.value += 1;
      evolve(s, {position, kNow, e.stream, e.event, e.device, {}});
    }
  }
  return {
      s.status,
      s.attempt,
      s.retry_count,
      s.spared_retries,
      s.retry_at.has_value(),
      s.error_code,
      is_terminal(s.status) && s.status == UpdateStatus::kCompleted ? s.progress_basis_points : 0};
}

// What a device says on its way, and of its older attempt; then how it ended.
std::vector<Report> any_story() {
  auto reports = *rc::gen::container<std::vector<Report>>(any_report(2));
  std::erase_if(reports, [](const Report& r) {
    return r.attempt == 2 && r.kind != Report::Kind::kProgress && r.kind != Report::Kind::kNote;
  });
  Report end;
  end.attempt = 2;
  end.kind =
      *rc::gen::element(Report::Kind::kSuccess, Report::Kind::kFailure, Report::Kind::kDeclined);
  end.failure = *rc::gen::element(FailureKind::kDevice, FailureKind::kTransport);
  reports.push_back(end);
  return reports;
}

template <class T>
void shuffle(std::vector<T>& list) {
  for (std::size_t i = list.size(); i > 1; --i) {
    std::swap(list[i - 1], list[*rc::gen::inRange<std::size_t>(0, i)]);
  }
}

}  // namespace

TEST_CASE("decision 26: shuffled and repeated reports end an attempt as the ordered ones do") {
  CHECK(rc::check([] {
    const auto story = any_story();
    auto heard = story;
    const auto repeats = *rc::gen::inRange<std::size_t>(0, 10);
    for (std::size_t i = 0; i < repeats; ++i)
      heard.push_back(heard[*rc::gen::inRange<std::size_t>(0, heard.size())]);
    shuffle(heard);
    RC_ASSERT(after(heard) == after(story));
  }));
}

TEST_CASE(
    "decision 26: before the end, too, the order of phases makes no difference to the phase "
    "reached") {
  CHECK(rc::check([] {
    auto story = any_story();
    story.pop_back();
    // What names no phase is understood from the state, and so from the order.
    std::erase_if(story,
                  [](const Report& r) { return r.kind == Report::Kind::kProgress && !r.phase; });
    auto heard = story;
    shuffle(heard);
    RC_ASSERT(after(heard).status == after(story).status);
  }));
}
