#include "tests/projections/log_of_story.hpp"

#include <atomic>
#include <future>

#include "domain/codec/codec.hpp"

namespace ota::projections::testing {

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
    eventstore::Append append;
    append.events.push_back(std::move(raw));
    std::promise<bool> committed;
    journal.append(std::move(append), [&](const eventstore::AppendOutcome& outcome) {
      committed.set_value(std::holds_alternative<eventstore::Committed>(outcome));
    });
    REQUIRE(committed.get_future().get());
  }
}

}  // namespace ota::projections::testing
