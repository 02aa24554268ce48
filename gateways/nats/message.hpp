// A message as it goes out to the bus: the envelope of spec/api.md section 8 around one event of
// the log.
//
// Everything in it comes from the log (and the names behind subject tokens), so that the same event
// is the same message whenever it is sent, and its id lets the server drop what it has already.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "domain/words.hpp"

namespace ota::gateways::nats {

struct Message {
  domain::Position position;  // of the event that it tells of
  std::string id;             // envelope id and Nats-Msg-Id
  std::string subject;        // ota_service.<entity>.<action>
  std::string body;           // JSON
};

// The id of the message about one event: a UUID version 5 of "ota_service:<position>:<time in us>".
// The time is in it because another log, after a fresh start of the service, has the same
// positions.
std::string message_id(domain::Position position, domain::Time time);

// `type`: "campaign.created". `correlation`: empty for an event that nobody asked for.
Message make_message(domain::Position position, domain::Time time, std::string_view type,
                     std::string_view correlation, nlohmann::ordered_json data);

// "2026-01-02T03:04:05.678901Z".
std::string iso_time(domain::Time time);

}  // namespace ota::gateways::nats
