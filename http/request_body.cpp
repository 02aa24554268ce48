#include "http/request_body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "http/limits.hpp"

namespace ota::http {

Problem body_problem(BodyOutcome outcome) {
  Problem problem;
  switch (outcome) {
    case BodyOutcome::kTooSlow:
      problem = Problem::bad_request("The request's body arrived too slowly");
      problem.status = 408;
      return problem;
    case BodyOutcome::kMalformed:
      return Problem::bad_request("The request's body is not well-formed chunked coding");
    case BodyOutcome::kCutOff:
      return Problem::bad_request("The request's body was cut off before its end");
    case BodyOutcome::kBytes:
    case BodyOutcome::kEnd:
      break;
  }
  assert(false && "a body that arrived is no problem");
  return problem;
}

std::optional<Problem> read_whole_body(RequestBody& body, std::size_t bytes_max, std::string& out) {
  const auto declared = body.declared_size();
  if (declared.value_or(0) > bytes_max) {
    return Problem::too_large(fmt::format(
        "The request's body has {} bytes, but at most {} are taken here", *declared, bytes_max));
  }
  out.clear();
  for (;;) {
    // Grows with what arrives, not with what is declared. One byte of room is left at the limit, to
    // see that no more comes.
    const std::size_t before = out.size();
    const std::size_t room =
        std::min(std::max(before, limits::kBodyPieceBytes / 16),
                 std::min(limits::kBodyPieceBytes * 16, bytes_max - before + 1));
    out.resize(before + room);
    const BodyRead read = body.read(out.data() + before, room);
    out.resize(before + (read.outcome == BodyOutcome::kBytes ? read.count : 0));
    if (out.size() > bytes_max) {
      return Problem::too_large(
          fmt::format("The request's body is larger than the {} bytes taken here", bytes_max));
    }
    if (read.outcome == BodyOutcome::kEnd) return std::nullopt;
    if (read.outcome != BodyOutcome::kBytes) return body_problem(read.outcome);
  }
}

}  // namespace ota::http
