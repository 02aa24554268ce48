// An answer that is made at once and sent later: when what it says has come true.
//
// A handler that waited for a commit would cost two switches of threads for each request, and a thread of its own for
// each that waits. Instead it makes the answer, and its thread goes on; whoever does the work gives the word. Without a
// problem the bytes are sent as they were made, with one that is answered instead. Two have to come, the handler with the
// bytes and the word, in any order; the second one gives the connection on. Until then nobody touches it.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "http/problem.hpp"
#include "http/request_context.hpp"

namespace ota::http {

struct LateAnswer {
  std::string head;                        // of the request, from the handler: whoever is refused after all
  const ProblemWriter* writer = nullptr;   //   is answered as it asked, in its route's shape
  std::string bytes;                       // from the handler: the answer
  std::optional<Problem> problem;          // the word

  // What the caller has brought is there; true: so is what the other one brings.
  bool is_whole() { return one_is_here_.exchange(true, std::memory_order_acq_rel); }

 private:
  std::atomic<bool> one_is_here_{false};
};

}  // namespace ota::http
