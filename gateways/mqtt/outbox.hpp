// What waits for the broker, and what it has not acknowledged yet. No thread, no socket: whoever owns it says what was sent
// and what came back.
//
// A command stands on its topic: of those that wait on one topic only the newest is kept, so that a broker which is down for
// long costs a message a device at most. Answers are kept in order, up to a number and so many bytes; beyond it the oldest are
// dropped. When the connection is lost, the commands that were sent and not acknowledged wait again, at the front.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

namespace ota::gateways::mqtt {

struct Letter {
  enum class Kind {
    kAnswer,
    kCommand,    // retained, and sent until it is acknowledged
    kReminder,   // of the command that stands on its topic already, for whoever listens now; of no use behind another one
  };
  std::string topic;
  std::string body;
  Kind kind = Kind::kAnswer;

  bool is_acknowledged() const { return kind == Kind::kCommand; }
};

class Outbox {
 public:
  Outbox(std::size_t in_flight_max, std::size_t replies_max, std::size_t reply_bytes_max)
      : in_flight_max_(in_flight_max), replies_max_(replies_max), reply_bytes_max_(reply_bytes_max) {}

  void post(Letter letter);
  // What is to be sent next; null: nothing waits, or as much as may be is under way. Commands and answers take turns. Good
  // until anything else is called.
  const Letter* next();
  // What next() gave is on its way under this number; what is not acknowledged is done with.
  void sent(int number);
  // False: no message of that number is under way.
  bool acknowledged(int number);
  void connection_lost();

  std::size_t waiting() const { return replies_.size() + commands_.size(); }
  std::size_t in_flight() const { return in_flight_.size(); }
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Sent {
    int number = 0;
    Letter letter;
  };
  std::list<Letter>& turn();

  const std::size_t in_flight_max_;
  const std::size_t replies_max_;
  const std::size_t reply_bytes_max_;     // of their bodies
  std::list<Letter> replies_;
  std::size_t reply_bytes_ = 0;
  std::list<Letter> commands_;
  std::unordered_map<std::string, std::list<Letter>::iterator> command_on_;   // of each topic, in commands_
  std::list<Sent> in_flight_;             // in the order in which they were sent
  bool replies_turn_ = true;
  std::uint64_t dropped_ = 0;
};

}  // namespace ota::gateways::mqtt
