// Timers of the simulation: a binary heap with cancellation. Time is given, never read. One thread.
//
// A ticket owns its timer: destroying or overwriting it cancels. Cancelled entries stay in the heap
// until they surface or outnumber the live ones, then the heap is rebuilt, so memory follows what
// is live.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

namespace ota::sim {

using TimePoint = std::chrono::steady_clock::time_point;

class TimerHeap;

// Move-only owner of one timer; must not outlive its heap.
class TimerTicket {
 public:
  TimerTicket() = default;
  TimerTicket(TimerHeap& heap, std::uint64_t id) : heap_(&heap), id_(id) {}
  TimerTicket(TimerTicket&& other) noexcept;
  TimerTicket& operator=(TimerTicket&& other) noexcept;
  ~TimerTicket() { cancel(); }

  void cancel();

 private:
  TimerHeap* heap_ = nullptr;
  std::uint64_t id_ = 0;
};

class TimerHeap {
 public:
  // Calls `action` once, from run_due, at or after `at`.
  [[nodiscard]] TimerTicket at(TimePoint at, std::function<void()> action);

  // Answers when the next live timer is due.
  std::optional<TimePoint> next();

  // Runs what is due at `now`, earliest first, equal times in the order they were set. Timers set
  // meanwhile wait for the next call, so one that sets itself again cannot hold the loop.
  void run_due(TimePoint now);

  void cancel(std::uint64_t id);
  std::size_t live() const { return actions_.size(); }

 private:
  struct Entry {
    TimePoint at;
    std::uint64_t id;
    bool operator>(const Entry& other) const {
      return at != other.at ? at > other.at : id > other.id;
    }
  };

  void drop_dead_top();

  std::vector<Entry> heap_;
  std::unordered_map<std::uint64_t, std::function<void()>> actions_;
  std::uint64_t last_id_ = 0;
};

}  // namespace ota::sim
