#include <doctest/doctest.h>

#include "tests/projections/support.hpp"

namespace ota::projections {
namespace {

using namespace testing;
using domain::UpdateDeadline;

struct Granted : ReadStory {
  Granted() {
    story.devices(0, 5);
    story.campaign(campaign_id(1), set_of({0, 1, 2, 3, 4}));
    story.start(campaign_id(1));
  }
  std::vector<Deadline> all() { return read().due(domain::Time::max(), 100); }
};

TEST_CASE("a granted update must start, a started one must end, a cancelling one must answer") {
  Granted t;
  CHECK_FALSE(t.read().next_deadline());
  const auto granted_at = t.story.now();
  t.story.grant(update(1), 1, 100);
  auto all = t.all();
  REQUIRE(all.size() == 1);
  CHECK(all[0].kind == UpdateDeadline::kStartBy);
  CHECK(all[0].due == granted_at + minutes(15));
  CHECK(all[0].update == update(1));
  CHECK(all[0].attempt == 1);
  CHECK(t.views().next_deadline() == all[0].due);

  const auto started_at = t.story.now();
  t.story.begin(update(1), 1);
  all = t.all();
  REQUIRE(all.size() == 1);
  CHECK(all[0].kind == UpdateDeadline::kTimeout);
  CHECK(all[0].due == started_at + minutes(60));

  t.story.tell({update(1),
                domain::CancelRequested{domain::CancelCause::kOperator, started_at + minutes(9)},
                device_id(1)});
  all = t.all();
  REQUIRE(all.size() == 2);
  CHECK(all[0].kind == UpdateDeadline::kCancelGiveUp);
  CHECK(all[1].kind == UpdateDeadline::kTimeout);
  t.story.tell({update(1), domain::CancelRefused{{}}, device_id(1)});
  CHECK(t.all().size() == 1);
  t.story.progress(update(1), 1, domain::UpdateStatus::kDownloading);
  CHECK(t.all().size() == 1);
  t.story.succeed(update(1), 1);
  CHECK(t.all().empty());
}

TEST_CASE("a retry has deadlines of its own attempt") {
  Granted t;
  t.story.grant(update(1), 1, 100);
  t.story.fail(update(1), 1, "x", t.story.now());
  CHECK(t.all().empty());
  t.story.grant(update(1), 1, 101, 2);
  REQUIRE(t.all().size() == 1);
  CHECK(t.all()[0].attempt == 2);
  t.story.tell({update(1), domain::GrantLapsed{2, 0, true}, device_id(1)});
  CHECK(t.all().empty());
}

TEST_CASE("what is due comes earliest first, and no more than is asked for") {
  Granted t;
  for (std::uint32_t n = 0; n < 5; ++n) t.story.grant(update(4 - n), 4 - n, 100);
  const auto all = t.all();
  REQUIRE(all.size() == 5);
  for (std::uint32_t n = 0; n < 5; ++n) CHECK(all[n].update == update(4 - n));
  CHECK(t.views().due(all[2].due, 100).size() == 3);
  CHECK(t.views().due(all[2].due - domain::Duration(1), 100).size() == 2);
  CHECK(t.views().due(all[4].due, 2).size() == 2);
}

TEST_CASE("deadlines are there again after a restart") {
  Granted t;
  t.story.grant(update(1), 1, 100);
  t.story.grant(update(2), 2, 100);
  t.story.begin(update(2), 2);
  const auto before = t.all();
  t.restart();
  const auto after = t.views().due(domain::Time::max(), 100);
  REQUIRE(after.size() == before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    CHECK(after[i].due == before[i].due);
    CHECK(after[i].update == before[i].update);
    CHECK(after[i].kind == before[i].kind);
    CHECK(after[i].attempt == before[i].attempt);
  }
}

}  // namespace
}  // namespace ota::projections
