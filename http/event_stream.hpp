// One reader of the log's events as they happen: server-sent events (spec/api.md section 6).
//
// It stands at a position and goes on from there, in log order: from the log while it is behind, from what was committed last
// (live_events.hpp) when it is not. Both say the same, so that it does not matter when it goes over from one to the other, and
// a reader that comes back with the last `id` that it has seen goes on behind it, after a restart of the service too. Of what
// is committed it shows nothing that the views do not show yet.
#pragma once

#include <deque>

#include "http/answer_source.hpp"
#include "http/api.hpp"
#include "http/event_filter.hpp"
#include "http/live_events.hpp"

namespace ota::http {

class EventStream final : public AnswerSource {
 public:
  // Of a handler's thread. `place`: LiveEvents::follow().
  EventStream(const Api& api, LiveEvents& live, Places::Place place, EventFilter filter, eventstore::Position after);

  Next read(std::string& out) override;
  void read_silence(std::string& out) override;

 private:
  bool is_full(const std::string& out, std::size_t looked_at) const;
  // Each goes on to `newest` at most. False: it ended before that, as it is the others' turn.
  bool read_live(std::string& out, eventstore::Position newest);
  bool read_log(std::string& out, eventstore::Position newest);
  bool read_listed(std::string& out, eventstore::Position newest);
  void look_at(const eventstore::RecordedEvent& event, std::string& out);

  const Api& api_;
  LiveEvents& live_;
  const Places::Place place_;
  EventFilter filter_;
  eventstore::Position position_;   // everything up to here was looked at
  bool has_greeted_ = false;
  // Of a device: where its events are, up to listed_until_. Others are found by an index that one can go on in.
  std::deque<eventstore::Position> listed_;
  eventstore::Position listed_until_;
};

// The newest event that the views show: where a stream begins that asks for nothing older.
eventstore::Position newest_visible(const Api& api, const LiveEvents& live);

}  // namespace ota::http
