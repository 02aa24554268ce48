// The JSON of the device protocol (hawkBit DDI v1), as a strict but tolerant client reads and
// writes it. Pure.
//
// Unknown members are ignored; what a device cannot work without (links, hashes, sizes, a sleep of
// HH:MM:SS) is an error that names the member.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/otasim/parsed.hpp"

namespace ota::sim {

struct PollReply {
  std::chrono::seconds sleep{0};
  std::string cancel_url;  // links are empty when absent
  std::string config_url;
  std::string deployment_url;
};

struct Artifact {
  std::string filename;
  std::int64_t size = 0;
  std::string sha256;
  std::string sha1;
  std::string url;
};

enum class Mode { kSkip, kAttempt, kForced };

struct Deployment {
  std::string action;
  Mode download = Mode::kAttempt;
  Mode update = Mode::kAttempt;
  bool window_closed = false;  // a maintenance window exists and is not open
  std::string name;            // of the first chunk
  std::string version;         // of the first chunk; becomes the device's version
  std::vector<Artifact> artifacts;
};

// What a device tells about an action (ddi.md 3.4).
struct Feedback {
  std::string execution;
  std::string finished;
  std::string detail;
  std::optional<int> code;
  std::optional<int> percent;  // sent as progress {cnt, of 100}
};

// Reads "HH:MM:SS", at most 23:59:59; anything else is empty.
std::optional<std::chrono::seconds> parse_sleep(std::string_view text);

Parsed<PollReply> parse_poll(std::string_view body);
Parsed<Deployment> parse_deployment(std::string_view body);

// Answers the id of the action to stop.
Parsed<std::string> parse_cancel(std::string_view body);

// Answers the last part of an action's link, its id.
std::string action_of_link(std::string_view action_url);

// Answers the feedback address of an action: its link without the query, and "/feedback".
std::string feedback_url(std::string_view action_url);

std::string feedback_body(const Feedback& feedback, std::chrono::milliseconds since_epoch);
// `mode`: "merge", "replace"; null: left out.
std::string config_body(const std::map<std::string, std::string>& attributes, const char* mode);

}  // namespace ota::sim
