// A thread with a name and a stack of a chosen size, which std::thread cannot have. Joined by its
// destructor.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <functional>
#include <string>

namespace ota::http {

class Thread {
 public:
  // Throws std::system_error if the system gives no thread. `body` must not throw.
  Thread(const std::string& name, std::size_t stack_bytes, std::function<void()> body);
  ~Thread();
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

 private:
  static void* enter(void* self);

  std::function<void()> body_;
  pthread_t thread_{};
};

}  // namespace ota::http
