// What a device over MQTT is told and what it says (docs/devices.md, "Over MQTT"), as a strict but
// tolerant client reads and writes it. Pure.
//
// What it says has no id of its own here: that is given when it is sent, see with_id().
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tools/otasim/ddi_messages.hpp"
#include "tools/otasim/mqtt/attempt_name.hpp"

namespace ota::sim {

// A text as one level of a topic; so are users named, too. Every byte but A-Z a-z 0-9 _ - is %XX.
std::string topic_level(std::string_view text);

struct MqttTopics {
  std::string up;     // what the device says
  std::string down;   // what it is to do now, retained
  std::string reply;  // answers to what it said
};
MqttTopics topics_of(std::string_view tenant, std::string_view device);

struct MqttCommand {
  enum class Kind { kNothing, kUpdate, kConfirm, kCancel };
  Kind kind = Kind::kNothing;
  AttemptName name;
  std::string action;     // the same attempt, as DDI names it
  Deployment deployment;  // kUpdate; its action is `action`
};
// Reads what stands on `down`; an empty text: nothing is to be done.
Parsed<MqttCommand> parse_command(std::string_view body);

struct MqttReply {
  std::string id;  // of the message that it answers; empty: of one without
  bool ok = false;
  bool go = false;      // to `accepted`
  std::string url;      // with go: where the bytes are
  std::string error;    // a word for programs
  std::string message;  // why not, for people
};
Parsed<MqttReply> parse_reply(std::string_view body);

std::string hello_text(const std::map<std::string, std::string>& attributes);
std::string bye_text();
// Of the attempt, one word: accepted, confirmed, cancelled, cancel_refused.
std::string status_text(const AttemptName& name, std::string_view status);
// What an update reports, with the words that it has over DDI.
std::string report_text(const AttemptName& name, const Feedback& feedback);

// Answers the message with this id.
std::string with_id(std::string_view id, const std::string& message);

}  // namespace ota::sim
