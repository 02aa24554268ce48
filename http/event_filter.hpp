// Which events of the log somebody asks for, and where these are found (spec/api.md section 6).
//
// Whatever is asked for holds together: campaign_id and device_id are the events that concern both. One filter serves one
// reader; it is read from a query on a handler's thread, and used on one thread at a time.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "domain/streams.hpp"
#include "domain/words.hpp"
#include "eventstore/log.hpp"
#include "http/api.hpp"
#include "http/query_reader.hpp"

namespace ota::http {

// What an event must be to be shown; all of it.
struct EventFilter {
  std::string stream;                       // its own; empty: any
  std::vector<std::string> tags;            // each of them, as a tag or as its stream
  std::vector<std::string> types;           // one of them; empty: any
  std::string actor_name;                   // empty: any
  std::optional<domain::Caller> actor;      // absent although there is a name: they never did anything
  std::optional<domain::CampaignId> campaign;
  std::string device;                       // its tag; empty: none was asked for
  std::set<std::string> device_updates;     // their streams: progress and late reports are there alone (design 5)
  // Of a campaign something is asked for that its tag does not have: what stands under its updates alone.
  bool beside_campaign_tag = false;

  bool holds(const eventstore::RecordedEvent& event) const;
  // To be told of every event in log order, before it is asked for it, by whoever does not read by the index of a device:
  // an update becomes the device's by its first event.
  void learn(const eventstore::RecordedEvent& event);
  // Somebody who had done nothing so far may have done something since.
  void look_for_actor(const Api& api);
  bool is_of_nobody() const { return !actor && !actor_name.empty(); }

 private:
  bool reads_updates() const;
  bool is_of_campaign(std::string_view stream_of_event) const;
};

// The fields of `query` that say what is wanted: stream, campaign_id, update_id, device_id, type (one, or several with commas
// between them), actor. What is wrong with them is the query's error.
EventFilter read_event_filter(QueryReader& query, const Api& api);

// Whether the value of such a field is one: what else may have been meant nobody knows. A device counts if there is such a one.
bool is_of_filter(const Api& api, std::string_view field, std::string_view value);

// Visits, in log order, what may hold of the events after `from`: by the narrowest index that there is, and all events
// where there is none. Whoever visits asks the filter, and returns false to stop.
// The filter has learned all updates of the device then.
void read_candidates(const Api& api, EventFilter& filter, eventstore::Position from, const eventstore::Visitor& visit);

// Where the events of the filter's device are after `after`, in log order; the filter learns all its updates.
std::vector<eventstore::Position> events_of_device(const eventstore::Log& log, EventFilter& filter,
                                                   eventstore::Position after);

}  // namespace ota::http
