// The events that were committed last, for streams that have seen all before them.
//
// The journal tells of each group when the views show it. A thousand streams that stand at the head of the log need not read
// it a thousand times, nor put the same event into text a thousand times: the last groups are kept here as they came, each
// event with its text once somebody has made it. This is no queue: whoever is not served from here reads the log. Who follows
// is counted here too, as without anybody nothing is kept and no bell rung.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "eventstore/journal.hpp"
#include "http/bell.hpp"
#include "http/limits.hpp"
#include "http/places.hpp"

namespace ota::http {

class LiveEvents final : public eventstore::Tail {
 public:
  explicit LiveEvents(std::size_t followers_max = limits::kEventStreams) : followers_(followers_max) {}

  // ---- any thread
  // Rung when there are new ones: EndlessOptions::news.
  std::shared_ptr<const Bell> bell() const { return bell_; }
  // To be held by whoever follows, from before it first looks; empty: too many do.
  std::optional<Places::Place> follow() { return followers_.take(); }
  const Places& followers() const { return followers_; }
  // Of the newest event that was told of, so that views show it; 0: of none yet.
  eventstore::Position newest() const { return {newest_.load()}; }

  // ---- the dispatcher's thread
  void on_group(const eventstore::GroupPtr& group) override;

  // ---- the one thread of the streams
  struct Event {
    eventstore::GroupPtr group;   // keeps the event
    const eventstore::RecordedEvent* event = nullptr;
    std::string text;             // of its reader's making; empty: nobody has needed it yet, or it has a name, which may be erased
  };
  // Makes room for what was told of since the last time, and takes it in.
  void take_in();
  // The event at this position; null: it is not kept. Until the next take_in().
  Event* find(eventstore::Position position);

 private:
  void keep(const eventstore::GroupPtr& group);
  void drop_oldest();

  const std::shared_ptr<const Bell> bell_ = std::make_shared<const Bell>();
  Places followers_;
  std::atomic<std::uint64_t> newest_{0};
  std::mutex mutex_;
  std::deque<eventstore::GroupPtr> arrived_;

  std::deque<Event> kept_;        // in log order, without gaps; the streams' thread alone
  std::size_t kept_bytes_ = 0;    // of their payloads
};

}  // namespace ota::http
