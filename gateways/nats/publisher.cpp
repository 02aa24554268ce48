#include "gateways/nats/publisher.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "gateways/nats/limits.hpp"

namespace ota::gateways::nats {

Publisher::Publisher(ReconnectLoop::Options options, const std::filesystem::path& cursor_directory)
    : cursor_(cursor_directory),
      told_(cursor_.position().value),
      loop_(std::move(options), [this](Connection& connection) { session(connection); }) {}

void Publisher::on_group(const eventstore::GroupPtr& group) {
  const auto& events = group->events();
  if (events.empty()) return;
  head_.store(events.back().position.value);
  // Most groups are devices' reports: for these the thread sleeps on.
  const bool speaks =
      std::any_of(events.begin(), events.end(), [](const auto& e) { return may_speak(e.type); });
  if (speaks) loop_.notify();
}

void Publisher::start(const eventstore::Log& log, const eventstore::Subjects& subjects) {
  outbox_ = std::make_unique<Outbox>(log, subjects);
  // A group may have come in between: the head never goes back.
  const auto head = log.head().value;
  for (auto seen = head_.load(); seen < head && !head_.compare_exchange_weak(seen, head);) {
  }
  // A log restored from a backup is younger than the cursor: what it will say from here on is new.
  if (cursor_.position().value > head) {
    spdlog::warn("bus: the cursor was at event {}, but the log ends at {}; going on from there",
                 cursor_.position().value, head);
    move_to({head}, true);
  }
  loop_.start();
}

void Publisher::stop() { loop_.stop(); }

Publisher::Status Publisher::status() const {
  Status status;
  status.link = loop_.state();
  status.cursor = {told_.load()};
  const auto head = head_.load();
  status.behind = head > status.cursor.value ? head - status.cursor.value : 0;
  status.published = published_.load();
  return status;
}

void Publisher::session(Connection& connection) {
  connection.create_stream_if_missing(kOwnStream, kOwnSubjects);
  go_on_behind_the_stream(connection);
  loop_.ready();
  while (!loop_.stopping()) {
    if (publish_round(connection)) continue;
    loop_.wait(limits::kIdle);
    if (!connection.is_open()) throw BusError("the connection was lost");
  }
}

void Publisher::go_on_behind_the_stream(Connection& connection) {
  const auto newest = connection.newest_body(kOwnStream, kOwnSubjects);
  const auto position = newest ? outbox_->position_of(*newest) : std::nullopt;
  if (position && position->value > told_.load()) move_to(*position, true);
}

// Returns whether there was anything to look at.
bool Publisher::publish_round(Connection& connection) {
  const domain::Position from{told_.load()};
  const auto round = outbox_->after(from);
  for (const auto& message : round.messages) {
    connection.publish(kOwnStream, message);
    published_.fetch_add(1);
  }
  if (round.upto == from) return false;
  move_to(round.upto, !round.messages.empty());
  return true;
}

void Publisher::move_to(domain::Position position, bool save) {
  const bool far = position.value - cursor_.position().value >= limits::kEventsUnsaved;
  if (save || far) cursor_.move_to(position);
  told_.store(position.value);
}

}  // namespace ota::gateways::nats
