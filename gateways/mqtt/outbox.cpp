#include "gateways/mqtt/outbox.hpp"

#include <algorithm>
#include <utility>

#include "eventstore/assert.hpp"

namespace ota::gateways::mqtt {

void Outbox::post(Letter letter) {
  if (letter.kind == Letter::Kind::kAnswer) {
    reply_bytes_ += letter.body.size();
    replies_.push_back(std::move(letter));
    while (replies_.size() > replies_max_ || (reply_bytes_ > reply_bytes_max_ && replies_.size() > 1)) {
      reply_bytes_ -= replies_.front().body.size();
      replies_.pop_front();
      ++dropped_;
    }
    return;
  }
  if (const auto found = command_on_.find(letter.topic); found != command_on_.end()) {
    if (letter.kind == Letter::Kind::kCommand) *found->second = std::move(letter);
    return;
  }
  const auto place = commands_.insert(commands_.end(), std::move(letter));
  command_on_.emplace(place->topic, place);
}

std::list<Letter>& Outbox::turn() {
  if (replies_.empty()) return commands_;
  if (commands_.empty()) return replies_;
  return replies_turn_ ? replies_ : commands_;
}

const Letter* Outbox::next() {
  if (waiting() == 0 || in_flight_.size() >= in_flight_max_) return nullptr;
  return &turn().front();
}

void Outbox::sent(int number) {
  auto& from = turn();
  OTA_ASSERT(!from.empty());
  auto letter = std::move(from.front());
  from.pop_front();
  replies_turn_ = letter.kind != Letter::Kind::kAnswer;
  if (replies_turn_) {
    command_on_.erase(letter.topic);
  } else {
    reply_bytes_ -= letter.body.size();
  }
  if (letter.is_acknowledged()) in_flight_.push_back({number, std::move(letter)});
}

// They come back in order as a rule: the one that is looked for is the first.
bool Outbox::acknowledged(int number) {
  const auto found = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const Sent& s) { return s.number == number; });
  if (found == in_flight_.end()) return false;
  in_flight_.erase(found);
  return true;
}

// The newest first: of two commands on a topic the older one is not wanted any more, nor is a reminder.
void Outbox::connection_lost() {
  while (!in_flight_.empty()) {
    auto letter = std::move(in_flight_.back().letter);
    in_flight_.pop_back();
    const auto waits = command_on_.find(letter.topic);
    if (waits == command_on_.end()) {
      const auto place = commands_.insert(commands_.begin(), std::move(letter));
      command_on_.emplace(place->topic, place);
    } else if (!waits->second->is_acknowledged()) {
      *waits->second = std::move(letter);
    }
  }
}

}  // namespace ota::gateways::mqtt
