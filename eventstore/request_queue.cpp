#include "eventstore/request_queue.hpp"

#include "eventstore/assert.hpp"

namespace ota::eventstore {

void RequestQueue::push(Request request) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      if (auto* append = std::get_if<AppendRequest>(&request)) append->refused = true;
    }
    was_empty = requests_.empty();
    requests_.push_back(std::move(request));
  }
  if (was_empty) filled_.notify_one();
}

bool RequestQueue::wait(std::vector<Request>& out) {
  OTA_ASSERT(out.empty());
  std::unique_lock lock(mutex_);
  filled_.wait(lock, [this] { return closed_ || !requests_.empty(); });
  std::swap(out, requests_);
  return !out.empty();
}

bool RequestQueue::take(std::vector<Request>& out) {
  OTA_ASSERT(out.empty());
  const std::lock_guard lock(mutex_);
  std::swap(out, requests_);
  return !out.empty();
}

void RequestQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  filled_.notify_one();
}

}  // namespace ota::eventstore
