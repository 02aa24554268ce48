// What the journal was asked to do and has not decided yet, in the order in which it was asked.
//
// Any thread pushes, the writer takes. It has no bound of its own: Journal::in_flight() is what
// admission looks at, and actors keep few requests each in flight.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "eventstore/journal.hpp"
#include "eventstore/prepared_append.hpp"

namespace ota::eventstore {

struct AppendRequest {
  std::unique_ptr<PreparedAppend> append;
  Journal::Completion done;
  std::chrono::steady_clock::time_point handed_in;
  bool refused = false;  // it came after close()
};
struct BarrierRequest {
  Journal::Completion done;
};
struct CheckpointRequest {
  Journal::Completion done;
};
struct SnapshotRequest {
  std::string stream;
  Position position;
  std::string bytes;
};
struct AnswerRequest {
  CommandId command;
  std::string answer;
};
using Request = std::variant<AppendRequest, BarrierRequest, CheckpointRequest, SnapshotRequest, AnswerRequest>;

class RequestQueue {
 public:
  void push(Request request);
  // Waits for requests and moves all of them into `out`, which must be empty. False: closed, and
  // nothing is left.
  bool wait(std::vector<Request>& out);
  // The same without waiting. False: nothing is there.
  bool take(std::vector<Request>& out);
  // Marks what is pushed from now on as refused.
  void close();

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::vector<Request> requests_;
  bool closed_ = false;
};

}  // namespace ota::eventstore
