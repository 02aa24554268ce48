#include "http/event_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "domain/codec/codec.hpp"
#include "http/event_json.hpp"
#include "http/limits.hpp"

namespace ota::http {
namespace {

// As an EventSource takes it. JSON holds no line's end.
struct Message {
  std::string text;
  bool names_somebody = false;
};

Message message_of(const Api& api, const eventstore::RecordedEvent& event) {
  const auto made = show_event(api, event);
  auto text = fmt::format("id: {}\nevent: {}\ndata: {}\n\n", event.position.value, domain::event_name(event.type),
                          made.shown.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return {std::move(text), made.names_somebody};
}

}  // namespace

eventstore::Position newest_visible(const Api& api, const LiveEvents& live) {
  const auto told = live.newest();
  return told.value > 0 ? told : eventstore::Position{api.service.views().position().value};
}

EventStream::EventStream(const Api& api, LiveEvents& live, Places::Place place, EventFilter filter,
                         eventstore::Position after)
    : api_(api), live_(live), place_(std::move(place)), filter_(std::move(filter)), position_(after) {
  if (filter_.device.empty()) return;
  const auto head = api.service.log().head();
  auto found = events_of_device(api.service.log(), filter_, after);
  std::erase_if(found, [&](eventstore::Position position) { return position > head; });
  listed_until_ = found.size() > limits::kListedEvents ? found[limits::kListedEvents - 1] : head;
  found.resize(std::min(found.size(), limits::kListedEvents));
  listed_.assign(found.begin(), found.end());
  if (listed_.empty()) position_ = listed_until_;
}

AnswerSource::Next EventStream::read(std::string& out) {
  if (!std::exchange(has_greeted_, true)) {
    // The id alone is no event: who comes back before there was any goes on here, too.
    out += fmt::format("retry: {}\nid: {}\n\n", limits::kEventStreamRetry.count(), position_.value);
  }
  live_.take_in();
  const auto newest = newest_visible(api_, live_);
  if (position_ >= newest) return Next::kNothing;
  filter_.look_for_actor(api_);
  const bool is_there = !listed_.empty()                         ? read_listed(out, newest)
                        : live_.find({position_.value + 1}) != nullptr ? read_live(out, newest)
                                                                 : read_log(out, newest);
  return is_there ? Next::kNothing : Next::kMore;
}

void EventStream::read_silence(std::string& out) { out += fmt::format(": keep-alive\nid: {}\n\n", position_.value); }

bool EventStream::is_full(const std::string& out, std::size_t looked_at) const {
  return looked_at == limits::kEventsPerTurn || out.size() >= limits::kEventStreamPieceBytes;
}

bool EventStream::read_live(std::string& out, eventstore::Position newest) {
  for (std::size_t looked_at = 0; position_ < newest; ++looked_at) {
    auto* const next = live_.find({position_.value + 1});
    if (!next || is_full(out, looked_at)) return false;
    position_ = next->event->position;
    filter_.learn(*next->event);
    if (!filter_.holds(*next->event)) continue;
    if (!next->text.empty()) {
      out += next->text;
      continue;
    }
    auto message = message_of(api_, *next->event);
    out += message.text;
    if (!message.names_somebody) next->text = std::move(message.text);
  }
  return true;
}

bool EventStream::read_log(std::string& out, eventstore::Position newest) {
  std::size_t looked_at = 0;
  bool is_there = true;
  const auto visit = [&](const eventstore::RecordedEvent& event) {
    if (event.position > newest) return false;
    is_there = !is_full(out, looked_at);
    if (!is_there) return false;
    ++looked_at;
    look_at(event, out);
    return true;
  };
  // Of a device what came before has been listed.
  if (filter_.device.empty()) {
    read_candidates(api_, filter_, position_, visit);
  } else {
    api_.service.log().scan(position_, visit);
  }
  if (is_there) position_ = newest;
  return is_there;
}

bool EventStream::read_listed(std::string& out, eventstore::Position newest) {
  for (std::size_t looked_at = 0; !is_full(out, looked_at); ++looked_at) {
    if (listed_.front() > newest) return true;
    api_.service.log().read_one(listed_.front(), [&](const eventstore::RecordedEvent& event) {
      look_at(event, out);
      return false;
    });
    listed_.pop_front();
    if (!listed_.empty()) continue;
    position_ = listed_until_;
    return position_ >= newest;
  }
  return false;
}

void EventStream::look_at(const eventstore::RecordedEvent& event, std::string& out) {
  position_ = event.position;
  filter_.learn(event);
  if (filter_.holds(event)) out += message_of(api_, event).text;
}

}  // namespace ota::http
