// What every simulated device uses: the loop, the client, the choices, and where facts go. Outlives
// all devices.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "tools/otasim/choice.hpp"
#include "tools/otasim/credentials.hpp"
#include "tools/otasim/event_loop.hpp"
#include "tools/otasim/journal.hpp"
#include "tools/otasim/mqtt/mqtt_network.hpp"
#include "tools/otasim/net/http_client.hpp"
#include "tools/otasim/options.hpp"
#include "tools/otasim/stats.hpp"

namespace ota::sim {

struct World {
  const Options& options;
  const Choices& choices;
  const Credentials& credentials;
  EventLoop& loop;
  HttpClient& http;
  MqttNetwork* mqtt;  // null: nobody speaks MQTT
  Journal& journal;
  Stats& stats;

  [[nodiscard]] TimerTicket after(std::chrono::milliseconds delay, std::function<void()> action) {
    return loop.timers().at(EventLoop::now() + delay, std::move(action));
  }

  // The same path on the server that the fleet was told of, whatever host a link names.
  std::string on_server(const std::string& link) const {
    const auto url = parse_url(link);
    return url ? options.server + url->target : link;
  }

  // Records that the server broke the protocol or a promise; makes the simulator exit with 1.
  void violation(std::string_view device, const std::string& text) {
    ++stats.violations;
    if (stats.violation_texts.size() < kViolationTextsMax)
      stats.violation_texts.push_back(std::string{device} + ": " + text);
    journal.fact(device, "violation", {{"text", text}});
  }
};

// Milliseconds since 1970.
inline std::chrono::milliseconds wall_clock() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
}

}  // namespace ota::sim
