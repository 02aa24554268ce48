// Readers while the views are written: every answer is one that was true between two groups.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "tests/projections/support.hpp"

namespace ota::projections {
namespace {

using namespace testing;

TEST_CASE("readers see whole groups only, from any thread") {
  constexpr std::uint32_t kDevices = 60;
  ReadStory t;
  t.story.devices(0, kDevices);
  domain::Bitmap all;
  all.addRange(0, kDevices);
  t.story.campaign(campaign_id(1), all);
  t.story.start(campaign_id(1));
  auto& views = t.read();

  // Each group grants one and ends one: never more than one in progress between groups.
  std::vector<DecodedGroup> groups;
  auto from = t.story.events().size();
  for (std::uint32_t n = 0; n < kDevices; ++n) {
    const auto id = domain::UpdateId::in_campaign(campaign_id(1), {n});
    t.story.grant(id, n, 100 + n);
    t.story.begin(id, n);
    if (n > 0) {
      const auto last = domain::UpdateId::in_campaign(campaign_id(1), {n - 1});
      n % 2 ? t.story.succeed(last, n - 1) : t.story.fail(last, n - 1, "flash");
    }
    groups.push_back(group_of(t.story.events(), from, t.story.events().size()));
    from = t.story.events().size();
  }

  std::atomic<bool> done{false};
  std::atomic<int> faults{0};
  const auto expect = [&](bool holds) { faults += holds ? 0 : 1; };
  std::vector<std::thread> readers;
  const auto repeat = [&](auto work) {
    readers.emplace_back([&, work] {
      while (!done) work();
    });
  };
  repeat([&] {
    const auto row = views.campaign(campaign_id(1));
    expect(row && row->total == kDevices && row->in_progress <= 1);
    const auto s = views.statistics();
    expect(s.in_progress_updates <= 1 && s.pending_updates() <= kDevices);
  });
  repeat([&] {
    const auto page = views.campaign_updates(campaign_id(1), {}, {100, 0, ""});
    std::uint32_t running = 0;
    for (const auto& u : page.rows) running += u.in_progress() ? 1 : 0;
    expect(page.rows.size() == kDevices && running <= 1);
    expect(views.due(domain::Time::max(), 10).size() <= 1);
    (void)views.next_deadline();
    (void)views.targets(campaign_id(1));
  });
  repeat([&] {
    const auto before = views.position();
    int active = 0;
    for (std::uint32_t n = 0; n < kDevices; ++n) {
      const auto record = views.polls().find(device_id(n).value);
      expect(record && record->ordinal.value == n);
      active += record && record->active.value != 0 ? 1 : 0;
    }
    expect(active >= 0 && views.position() >= before);
    std::uint32_t visited = 0;
    views.each_device([&](const domain::Device&) { return ++visited < 1'000; });
    expect(visited == kDevices);
    expect(views.device_updates(device_id(0), {}).rows.size() == 1);
    expect(views.broken().empty());
  });
  for (const auto& group : groups) views.apply(group);
  done = true;
  for (auto& reader : readers) reader.join();
  CHECK(faults == 0);
  CHECK(views.position().value == t.story.events().size());
}

}  // namespace
}  // namespace ota::projections
