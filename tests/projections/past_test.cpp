// The past is what the views showed then: whatever a fleet does, every list and every row, at moments picked at random.
#include "projections/past.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

#include "domain/codec/state_codec.hpp"
#include "projections/limits.hpp"
#include "tests/projections/log_of_story.hpp"
#include "tests/projections/random_world.hpp"

namespace ota::projections {
namespace {

using namespace testing;

constexpr std::size_t kRowsAtOnce = 3;

std::string text_of(const std::optional<domain::Time>& time) {
  return time ? std::to_string(time->time_since_epoch().count()) : "-";
}

std::string text_of(const CampaignRow& r) {
  return fmt::format(
      "{} \"{}\" {} {} closed {} finished {} promoted {} switched {} approved {} {} \"{}\" total {} running {} completed {} failed {} "
      "cancelled {} held {} undone {} batch {} rollback {} {} created {} updated {} started {} ended {} revision {} verdict {} record {}\n",
      domain::to_text(r.id), r.record.name, domain::to_text(r.status), r.status_reason, r.closed, r.finished, r.promoted, r.switched,
      r.approved, r.approved_by.token, r.approval_comment, r.total, r.in_progress, r.completed, r.failed, r.cancelled, r.held,
      r.undone, r.batch, r.rollback.number, r.rollback.reason, text_of(r.created_at), text_of(r.updated_at), text_of(r.started_at),
      text_of(r.ended_at), r.revision, r.verdict ? domain::sentence(*r.verdict) : "-", r.record.picked);
}
std::string text_of(const domain::DeviceUpdate& u) {
  return fmt::format("{} {} {}\n", domain::to_text(u.id), domain::to_text(u.status), domain::to_hex(domain::encode_state(u)));
}
std::string text_of(const std::optional<domain::DeviceUpdate>& u) { return u ? text_of(*u) : "none\n"; }

std::string text_of(const Statistics& s) {
  std::string text = fmt::format("campaigns {} started {} updates {} running {} completed {} failed {} cancelled {} us {} bytes {} "
                                 "rollbacks {} devices {}",
                                 s.campaigns.size(), s.started_campaigns, s.total_updates, s.in_progress_updates,
                                 s.completed_updates, s.failed_updates, s.cancelled_updates, s.update_us_total, s.data_transferred,
                                 s.rollbacks, s.devices);
  for (const auto& [status, n] : s.campaigns) text += fmt::format(", {} {}", domain::to_text(status), n);
  for (const auto& [model, n] : s.by_device_type) text += fmt::format(", of {} {}", model, n);
  for (const auto& [version, n] : s.by_firmware_version) text += fmt::format(", to {} {}", version, n);
  for (const auto& [model, versions] : s.devices_by_model_version) {
    for (const auto& [version, n] : versions) text += fmt::format(", {} with {}: {}", model, version, n);
  }
  return text + "\n";
}

// Everything that both can be asked, as one text. `World` is Views or Past.
template <class World>
std::string everything(const World& world, const std::set<domain::CampaignId>& campaigns, const std::set<domain::DeviceId>& devices,
                       std::uint32_t ordinals) {
  std::string all = text_of(world.statistics()) + "campaigns\n";
  for (const auto& row : by_cursor([&](const PageRequest& page) { return world.campaign_list({}, page); }, kRowsAtOnce)) {
    all += text_of(row);
  }
  CampaignFilter filter;
  filter.status = domain::CampaignStatus::kCompleted;
  all += "completed\n";
  for (const auto& row : world.campaign_list(filter, {}).rows) all += text_of(row);
  for (const auto& id : campaigns) {
    const auto row = world.campaign(id);
    all += row ? text_of(*row) : "none\n";
    all += std::to_string(world.targets(id).cardinality());
    const auto list = [&](std::optional<domain::UpdateStatus> status) {
      all += fmt::format("updates {}\n", status ? domain::to_text(*status) : "all");
      const auto ask = [&](const PageRequest& page) { return world.campaign_updates(id, status, page); };
      for (const auto& update : by_cursor(ask, kRowsAtOnce)) all += text_of(update);
    };
    list(std::nullopt);
    for (const auto status : {domain::UpdateStatus::kScheduled, domain::UpdateStatus::kCompleted, domain::UpdateStatus::kFailed,
                              domain::UpdateStatus::kCancelled, domain::UpdateStatus::kInProgress, domain::UpdateStatus::kRollback}) {
      list(status);
    }
    for (std::uint32_t o = 0; o < ordinals; ++o) {
      const auto one = domain::UpdateId::in_campaign(id, {o});
      if constexpr (std::is_same_v<World, Past>) {
        all += text_of(world.update(one));
      } else {
        all += text_of(world.update_or_pending(one));
      }
      // Its first rollback: one that has begun, or waits.
      const auto back = domain::UpdateId::in_campaign(id, {o}, 1);
      if constexpr (std::is_same_v<World, Past>) {
        all += text_of(world.update(back));
      } else {
        all += text_of(world.rollback(back));
      }
    }
  }
  for (const auto& id : devices) {
    const auto device = world.device(id);
    all += device ? domain::to_hex(domain::encode_state(*device)) + "\n" : "none\n";
    if (!device) continue;
    all += "its updates\n";
    const auto ask = [&](const PageRequest& page) { return world.device_updates(id, page); };
    for (const auto& update : by_cursor(ask, kRowsAtOnce)) all += text_of(update);
  }
  return all;
}

// The first line that differs, for whoever reads a failure.
std::string difference(const std::string& then, const std::string& past) {
  const auto at = std::mismatch(then.begin(), then.end(), past.begin(), past.end());
  if (at.first == then.end() && at.second == past.end()) return {};
  const auto from = then.rfind('\n', static_cast<std::size_t>(at.first - then.begin()));
  const auto begin = from == std::string::npos ? 0 : from + 1;
  const auto line = [&](const std::string& text) { return text.substr(begin, text.find('\n', begin) - begin).substr(0, 900); };
  return "then: " + line(then) + "\npast: " + line(past);
}

// What the events so far name, which both sides are asked for.
struct Names {
  std::set<domain::CampaignId> campaigns;
  std::set<domain::DeviceId> devices;
};
Names names_in(const Story& story, std::size_t events) {
  Names names;
  for (std::size_t i = 0; i < events; ++i) {
    const auto& event = story.events()[i];
    if (const auto* id = std::get_if<domain::CampaignId>(&event.stream)) names.campaigns.insert(*id);
    if (const auto* id = std::get_if<domain::DeviceId>(&event.stream)) names.devices.insert(*id);
  }
  return names;
}

struct Remembered {
  domain::Position at;
  std::uint32_t ordinals = 0;
  std::string shown;
};

// What an actor that follows a campaign would have kept of it.
struct Kept {
  std::string stream;
  domain::Position at;
  std::string state;
};

// A fleet that does something for so many steps, what was shown of it now and then, and what may have been kept meanwhile.
struct World {
  World(std::uint32_t seed, int steps) : world(seed), read(world.settings) {
    std::mt19937 random(seed);
    for (int step = 0; step < steps; ++step) {
      world.step(read.views().due(world.story.now(), 100));
      read.story = world.story;
      read.read();
      const auto dice = random();
      if (dice % 60 == 0) remember();
      if (dice % 50 == 1) keep();
    }
    remember();
    REQUIRE(remembered.size() > 4);
    log.write(world.story);
  }
  void remember() {
    const auto at = read.views().position();
    const auto names = names_in(world.story, at.value);
    const auto ordinals = static_cast<std::uint32_t>(world.names.size() + 1);
    remembered.push_back({at, ordinals, everything(read.views(), names.campaigns, names.devices, ordinals)});
  }
  void keep() {
    std::vector<Kept> all;
    for (const auto& [id, state] : world.campaigns) {
      all.push_back({domain::stream_name(id), state.position, domain::encode_state(state)});
    }
    kept.push_back(std::move(all));
  }
  Past past(domain::Position at) const { return {log.log(), read.views(), world.settings, at}; }
  // The first line that differs then.
  std::string difference_at(const Remembered& then) const {
    const auto names = names_in(world.story, then.at.value);
    return difference(then.shown, everything(past(then.at), names.campaigns, names.devices, then.ordinals));
  }

  RandomWorld world;
  mutable ReadStory read;   // it asks its views alone
  LogOfStory log;
  std::vector<Remembered> remembered;
  std::vector<std::vector<Kept>> kept;
};

}  // namespace

TEST_CASE("whatever was shown at a moment is what is told of it later, from the log") {
  const bool long_run = std::getenv("OTA_TEST_LONG") != nullptr;
  std::vector<std::uint32_t> seeds{1, 2, 31, 53};   // 31: a retry waits behind its campaign's end; 53: a campaign is finished while some run
  for (std::uint32_t more = 32; long_run && more < 70; ++more) seeds.push_back(more);
  for (const auto seed : seeds) {
    CAPTURE(seed);
    World w(seed, 700);
    for (const auto& then : w.remembered) {
      CAPTURE(then.at.value);
      CHECK(w.difference_at(then) == "");
    }
  }
}

TEST_CASE("from a snapshot of before that moment the past is what it is from the first event on, and later ones do not count") {
  for (const std::uint32_t seed : {3U, 31U}) {
    CAPTURE(seed);
    World w(seed, 500);
    std::size_t compared = 0;
    for (const auto& snapshots : w.kept) {
      domain::Position newest;
      for (const auto& kept : snapshots) {
        w.log.keep(kept.stream, kept.at, kept.state);
        newest = std::max(newest, kept.at);
      }
      // The last moment before it, and the next ones behind it.
      auto first = std::find_if(w.remembered.begin(), w.remembered.end(), [&](const auto& then) { return then.at >= newest; });
      if (first != w.remembered.begin()) --first;
      for (auto then = first; then != w.remembered.end() && then - first < 3; ++then, ++compared) {
        CAPTURE(newest.value);
        CAPTURE(then->at.value);
        CHECK(w.difference_at(*then) == "");
      }
    }
    CHECK(compared > 10);
    // That they are looked at shows where one says something else.
    const auto& [id, state] = *w.world.campaigns.rbegin();
    auto other = state;
    other.held = state.targets;
    w.log.keep(domain::stream_name(id), state.position, domain::encode_state(other));
    CHECK(w.past(state.position).campaign(id)->held == state.targets.cardinality());
    CHECK(w.past({state.position.value - 1}).campaign(id)->held < state.targets.cardinality());
  }
}

TEST_CASE("statistics of a moment that the views have not come to yet are those that they show when they have") {
  World w(2, 1'200);
  const auto& events = w.world.story.events();
  REQUIRE(events.size() > 2 * limits::kCountsKeptEvery);
  for (const std::size_t shown : {std::size_t{0}, std::size_t{300}, std::size_t{limits::kCountsKeptEvery}, events.size() / 2}) {
    ReadStory behind(w.world.settings);
    if (shown > 0) behind.views().apply(group_of(events, 0, shown));
    REQUIRE(behind.views().position().value == shown);
    for (const auto& then : w.remembered) {
      CAPTURE(shown);
      CAPTURE(then.at.value);
      const Past past(w.log.log(), behind.views(), w.world.settings, then.at);
      CHECK(text_of(past.statistics()) == then.shown.substr(0, then.shown.find('\n') + 1));
    }
  }
}

TEST_CASE("an event that cannot be read ends whatever would have to fold it, and nothing before it") {
  ReadStory read;
  read.story.firmware(firmware_id(1), "SF-100", "2.0.0", 1);
  read.story.devices(0, 3);
  read.story.campaign(campaign_id(1), set_of({0, 1, 2}));
  read.story.start(campaign_id(1));
  read.story.grant(update(0), 0, 1);
  read.story.succeed(update(0), 0);
  read.read();
  const auto campaign = campaign_id(1);
  const auto ask = [&](domain::Stream stream, std::vector<std::string> tags, const auto& question) {
    LogOfStory log;
    log.write(read.story);
    const auto before = read.views().position();
    log.write_damaged(stream, tags);
    CHECK(question(Past(log.log(), read.views(), read.settings(), before)));
    CHECK_THROWS_WITH(question(Past(log.log(), read.views(), read.settings(), {before.value + 1})),
                      fmt::format("the event at {} cannot be read", before.value + 1).c_str());
  };
  ask(campaign, {}, [&](const Past& past) { return past.campaign(campaign).has_value(); });
  ask(campaign, {}, [&](const Past& past) { return past.targets(campaign).cardinality() == 3; });
  ask(campaign, {}, [&](const Past& past) { return past.campaign_updates(campaign, {}, {}).rows.size() == 3; });
  ask(campaign, {}, [&](const Past& past) { return past.update(update(0)).has_value(); });
  ask(firmware_id(1), {}, [&](const Past& past) { return past.firmware(firmware_id(1)).has_value(); });
  ask(firmware_id(1), {}, [&](const Past& past) { return past.campaign(campaign).has_value(); });
  ask(device_id(2), {domain::fleet_tag()}, [&](const Past& past) { return past.campaign(campaign).has_value(); });
  ask(device_id(2), {}, [&](const Past& past) { return past.device(device_id(2)).has_value(); });
  ask(device_id(2), {}, [&](const Past& past) { return past.update(update(2)).has_value(); });   // which has no events of its own
  ask(device_id(2), {}, [&](const Past& past) { return past.statistics().total_updates == 3; });
  ask(update(0), {}, [&](const Past& past) { return past.update(update(0)).has_value(); });
  ask(update(0), {domain::stream_name(device_id(0))}, [&](const Past& past) { return past.device(device_id(0)).has_value(); });
}

}  // namespace ota::projections
