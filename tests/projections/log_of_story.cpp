#include "tests/projections/log_of_story.hpp"

#include <atomic>
#include <future>

#include "domain/codec/codec.hpp"

namespace ota::projections::testing {

void LogOfStory::append(eventstore::Journal& journal, eventstore::NewEvent event) {
  eventstore::Append append;
  append.events.push_back(std::move(event));
  std::promise<bool> committed;
  journal.append(std::move(append), [&](const eventstore::AppendOutcome& outcome) {
    committed.set_value(std::holds_alternative<eventstore::Committed>(outcome));
  });
  REQUIRE(committed.get_future().get());
}

void LogOfStory::write_damaged(const domain::Stream& stream, const std::vector<std::string>& tags) {
  eventstore::Journal::Options options;
  options.clock = [now = log_->head_time()] { return now; };
  eventstore::Journal journal(log_, {}, options);
  eventstore::NewEvent raw;
  raw.stream = domain::stream_name(stream);
  raw.type = domain::event_type(domain::Event(domain::CampaignPaused{}));
  raw.payload = "\xff\xff\xff";
  raw.tags = tags;
  append(journal, std::move(raw));
}

void LogOfStory::keep(const std::string& stream, domain::Position position, const std::string& bytes) {
  eventstore::Journal journal(log_, {}, {});
  journal.put_snapshot(stream, to_store(position), bytes);
  std::promise<void> settled;
  journal.barrier([&](const eventstore::AppendOutcome&) { settled.set_value(); });
  settled.get_future().get();
  const auto kept = log_->snapshot(stream, to_store(position));
  REQUIRE((kept && kept->position == to_store(position) && kept->bytes == bytes));
}

void LogOfStory::write(const Story& story, std::size_t most) {
  // The next event's time, by its position; whole groups of one time would not be as the story
  // tells it.
  std::atomic<std::int64_t> now_us{0};
  eventstore::Journal::Options options;
  options.clock = [&] { return eventstore::Timestamp(std::chrono::microseconds(now_us.load())); };
  eventstore::Journal journal(log_, {}, options);
  for (auto i = log_->head().value; i < std::min(most, story.events().size()); ++i) {
    const auto& event = story.events()[i];
    now_us = event.time.time_since_epoch().count();
    const auto encoded = domain::encode(event.event);
    eventstore::NewEvent raw;
    raw.stream = domain::stream_name(event.stream);
    raw.type = encoded.type;
    raw.payload = encoded.payload;
    raw.tags = domain::tags_of({event.stream, event.event, event.device});
    raw.origin.caller = to_store(event.caller);
    append(journal, std::move(raw));
  }
}

}  // namespace ota::projections::testing
