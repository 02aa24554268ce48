// What the log has to say to the bus after a position, some at a time.
//
// One thread at a time. Throws eventstore::LogError if the log cannot be read.
#pragma once

#include <vector>

#include "eventstore/log.hpp"
#include "gateways/nats/log_history.hpp"
#include "gateways/nats/message.hpp"

namespace ota::gateways::nats {

class Outbox {
 public:
  // Both outlive it.
  Outbox(const eventstore::Log& log, const eventstore::Subjects& subjects);

  struct Round {
    std::vector<Message> messages;  // in log order, at most limits::kMessagesPerRound
    domain::Position upto;          // everything up to here is in `messages` or has nothing to say
  };
  // Stops at limits::kEventsPerRound too; `upto` = `after` means that the log ends there.
  Round after(domain::Position after) const;

  // The position of a message that tells of an event of this log; empty for any other message.
  // `body`: as it came back from the bus.
  std::optional<domain::Position> position_of(std::string_view body) const;

 private:
  const eventstore::Log& log_;
  LogHistory history_;
};

}  // namespace ota::gateways::nats
