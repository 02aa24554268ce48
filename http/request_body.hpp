// A request's body, read as it arrives.
//
// Two implementations: ConnectionBody from a socket, and whatever a test makes of a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "http/problem.hpp"

namespace ota::http {

enum class BodyOutcome : std::uint8_t {
  kBytes,      // some arrived
  kEnd,        // the body was complete before this call
  kCutOff,     // the peer went away in the middle
  kTooSlow,    // the peer was slower than the pace allows
  kMalformed,  // the chunked coding is broken
};

struct BodyRead {
  BodyOutcome outcome = BodyOutcome::kEnd;
  std::size_t count = 0;  // bytes, of kBytes
};

class RequestBody {
 public:
  virtual ~RequestBody() = default;
  // Reads up to `size` bytes; waits for the first of them.
  virtual BodyRead read(char* out, std::size_t size) = 0;
  // The size that the sender declared; empty if chunked. 0 without a body.
  virtual std::optional<std::uint64_t> declared_size() const = 0;
};

// What to answer when a body did not arrive (kCutOff, kTooSlow, kMalformed).
Problem body_problem(BodyOutcome outcome);

// Reads the whole body into `out`; what is wrong if it is larger than `bytes_max` (413, before
// reading if the size was declared) or did not arrive.
std::optional<Problem> read_whole_body(RequestBody& body, std::size_t bytes_max, std::string& out);

}  // namespace ota::http
