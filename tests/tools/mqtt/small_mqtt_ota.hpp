// The service's side of MQTT for one device, as far as a test needs it: one update from 1.0.0 to
// 2.0.0, behind a broker, with its file. Remembers what it was told, in order.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/tools/mqtt/small_broker.hpp"
#include "tests/tools/net/small_server.hpp"

namespace ota::sim::test {

class SmallMqttOta {
 public:
  struct Behaviour {
    bool offers = true;           // at every hello, until its end was told
    std::string install = "now";  // later: now, when it was verified
    bool goes = true;
    bool asks_for_consent = false;  // before it offers
    std::string cancels_at;         // the word behind which it asks to stop; empty: never
    std::string swallows_first;     // the first message with this word is not answered
    std::string hangs_up_at;        // the connection ends behind the first message with this word
    std::string refuses;            // the word that is answered with an error
    std::string error = "not_found";
  };
  explicit SmallMqttOta(Behaviour behaviour);

  std::uint16_t port() const { return broker_.port(); }
  const SmallBroker& broker() const { return broker_; }
  std::string server() const { return files_.url(""); }
  int downloads() const { return static_cast<int>(files_.asked().size()); }

  // "hello 1.0.0", "accepted", "downloading", ..., as the device said it.
  std::vector<std::string> words() const;
  // Ids of the messages with this word, in order.
  std::vector<std::string> ids(const std::string& word) const;
  void offer_again() { tell(command("update")); }

 private:
  void listen(const SmallBroker::Said& said);
  void answer(const std::string& word, const nlohmann::json& message);
  void tell(const nlohmann::json& command);
  void tell_nothing();
  void reply(nlohmann::json body);
  nlohmann::json command(const std::string& type) const;

  const Behaviour behaviour_;
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> heard_;  // word, id
  std::map<std::string, int> times_;                        // of each word
  std::atomic<bool> consented_{false};
  std::atomic<bool> verified_{false};
  std::atomic<bool> over_{false};
  SmallServer files_;
  SmallBroker broker_;  // last: it listens from the start
};

}  // namespace ota::sim::test
