// Tells everybody what the writer has decided: for each group first all tails, in the order in
// which they were given, then the completions, in the order of the appends. One thread, so that
// whoever is told is told in log order.
//
// It runs beside the writer, which is already committing the next group; no more than
// limits::kGroupsWaiting groups wait in between.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "eventstore/in_flight.hpp"
#include "eventstore/journal.hpp"
#include "eventstore/prepared_append.hpp"

namespace ota::eventstore {

struct Delivery {
  Journal::Completion done;
  AppendOutcome outcome;
  bool of_append;  // a barrier is not
};
struct DecidedGroup {
  std::vector<std::unique_ptr<PreparedAppend>> appends;  // committed, stamped, in position order
  std::vector<Delivery> deliveries;
};

class Dispatcher {
 public:
  // Counts every append that it delivers down from `in_flight`.
  Dispatcher(std::vector<Tail*> tails, InFlight& in_flight);
  // Delivers what was handed over.
  ~Dispatcher();

  // Waits while too many groups are waiting. The writer's thread.
  void hand_over(DecidedGroup group);
  // Waits until everything handed over is delivered. The writer's thread.
  void wait_idle();

 private:
  void run() noexcept;
  void deliver(DecidedGroup& group);

  const std::vector<Tail*> tails_;
  InFlight& in_flight_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<DecidedGroup> groups_;  // the front one is being delivered
  bool closing_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace ota::eventstore
