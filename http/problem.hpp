// The one shape of an error answer (spec/api.md section 1), as a value.
//
// A Problem says what went wrong in words for people; the kind fixes the HTTP status. Whoever
// answers it adds the request id. Nothing of the inside (a stack, an exception's type) ever goes
// in.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ota::http {

enum class ProblemKind : std::uint8_t {
  kValidationError,
  kBadRequest,
  kChecksumMismatch,
  kUnauthorized,
  kForbidden,
  kNotFound,
  kMethodNotAllowed,
  kStateTransition,
  kDuplicate,
  kPreconditionFailed,
  kRateLimited,
  kUnavailable,
  kInternalError,
};

// The word on the wire, and the status that goes with it.
std::string_view to_text(ProblemKind kind);
int status_of(ProblemKind kind);

struct Problem {
  ProblemKind kind = ProblemKind::kInternalError;
  int status = 500;
  std::string message;
  nlohmann::json detail;  // null: the same text as the message
  std::optional<std::uint32_t> retry_after_s;
  std::string allow;  // of a 405: the methods that the path has

  static Problem validation(std::string message, nlohmann::json detail = nullptr);
  // One bad field: 422 with one entry. `type` is pydantic's name of the error.
  static Problem invalid_field(nlohmann::json location, std::string message, std::string_view type);
  static Problem bad_request(std::string message);
  static Problem too_large(std::string message);          // 413, refused before the body is read
  static Problem gone(std::string message);               // 410: it was here, and is over
  static Problem not_acceptable(std::string message);     // 406
  static Problem unsupported_media(std::string message);  // 415
  static Problem checksum_mismatch(std::string message);
  static Problem unauthorized(std::string message);
  static Problem forbidden(std::string message);
  static Problem not_found(std::string message);
  static Problem method_not_allowed(std::string_view method, std::string allow);
  static Problem state_transition(std::string message, std::string_view current_state,
                                  std::string_view requested,
                                  const std::vector<std::string>& allowed);
  static Problem duplicate(std::string message, nlohmann::json detail = nullptr);
  static Problem precondition_failed(std::string message);
  static Problem rate_limited(std::string message, std::uint32_t retry_after_s);
  static Problem unavailable(std::string message, std::uint32_t retry_after_s);
  static Problem internal();

  // The body of the answer. Bytes that are not UTF-8 are replaced, never refused.
  std::string to_json(std::string_view request_id) const;
};

}  // namespace ota::http
