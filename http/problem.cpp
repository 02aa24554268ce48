#include "http/problem.hpp"

#include <array>
#include <utility>

namespace ota::http {
namespace {

struct Row {
  std::string_view word;
  int status;
};

// In the order of the enumeration.
constexpr std::array<Row, 13> kRows{{{"ValidationError", 422},
                                     {"BadRequest", 400},
                                     {"ChecksumMismatch", 422},
                                     {"Unauthorized", 401},
                                     {"Forbidden", 403},
                                     {"NotFound", 404},
                                     {"MethodNotAllowed", 405},
                                     {"StateTransition", 409},
                                     {"Duplicate", 409},
                                     {"PreconditionFailed", 412},
                                     {"RateLimited", 429},
                                     {"Unavailable", 503},
                                     {"InternalError", 500}}};

const Row& row_of(ProblemKind kind) { return kRows[static_cast<std::size_t>(kind)]; }

Problem make(ProblemKind kind, std::string message, nlohmann::json detail = nullptr) {
  Problem problem;
  problem.kind = kind;
  problem.status = status_of(kind);
  problem.message = std::move(message);
  problem.detail = std::move(detail);
  return problem;
}

}  // namespace

std::string_view to_text(ProblemKind kind) { return row_of(kind).word; }
int status_of(ProblemKind kind) { return row_of(kind).status; }

Problem Problem::validation(std::string message, nlohmann::json detail) {
  return make(ProblemKind::kValidationError, std::move(message), std::move(detail));
}

Problem Problem::invalid_field(nlohmann::json location, std::string message,
                               std::string_view type) {
  auto entry = nlohmann::json::object();
  entry["loc"] = std::move(location);
  entry["msg"] = message;
  entry["type"] = type;
  auto detail = nlohmann::json::array();
  detail.push_back(std::move(entry));
  return validation(std::move(message), std::move(detail));
}

Problem Problem::bad_request(std::string message) {
  return make(ProblemKind::kBadRequest, std::move(message));
}

Problem Problem::too_large(std::string message) {
  Problem problem = bad_request(std::move(message));
  problem.status = 413;
  return problem;
}

Problem Problem::gone(std::string message) {
  Problem problem = not_found(std::move(message));
  problem.status = 410;
  return problem;
}

Problem Problem::not_acceptable(std::string message) {
  Problem problem = bad_request(std::move(message));
  problem.status = 406;
  return problem;
}

Problem Problem::unsupported_media(std::string message) {
  Problem problem = bad_request(std::move(message));
  problem.status = 415;
  return problem;
}

Problem Problem::checksum_mismatch(std::string message) {
  return make(ProblemKind::kChecksumMismatch, std::move(message));
}

Problem Problem::unauthorized(std::string message) {
  return make(ProblemKind::kUnauthorized, std::move(message));
}

Problem Problem::forbidden(std::string message) {
  return make(ProblemKind::kForbidden, std::move(message));
}

Problem Problem::not_found(std::string message) {
  return make(ProblemKind::kNotFound, std::move(message));
}

Problem Problem::method_not_allowed(std::string_view method, std::string allow) {
  Problem problem =
      make(ProblemKind::kMethodNotAllowed,
           "Method " + std::string(method) + " is not allowed here, but " + allow + " is");
  problem.allow = std::move(allow);
  return problem;
}

Problem Problem::state_transition(std::string message, std::string_view current_state,
                                  std::string_view requested,
                                  const std::vector<std::string>& allowed) {
  auto detail = nlohmann::json::object();
  detail["current_state"] = current_state;
  detail["requested"] = requested;
  detail["allowed"] = allowed;
  return make(ProblemKind::kStateTransition, std::move(message), std::move(detail));
}

Problem Problem::duplicate(std::string message, nlohmann::json detail) {
  return make(ProblemKind::kDuplicate, std::move(message), std::move(detail));
}

Problem Problem::precondition_failed(std::string message) {
  return make(ProblemKind::kPreconditionFailed, std::move(message));
}

Problem Problem::rate_limited(std::string message, std::uint32_t retry_after_s) {
  Problem problem = make(ProblemKind::kRateLimited, std::move(message));
  problem.retry_after_s = retry_after_s;
  return problem;
}

Problem Problem::unavailable(std::string message, std::uint32_t retry_after_s) {
  Problem problem = make(ProblemKind::kUnavailable, std::move(message));
  problem.retry_after_s = retry_after_s;
  return problem;
}

Problem Problem::internal() {
  return make(ProblemKind::kInternalError,
              "The service failed on this request; the request id finds it in the log");
}

std::string Problem::to_json(std::string_view request_id) const {
  nlohmann::ordered_json body;
  body["success"] = false;
  body["error"] = to_text(kind);
  body["message"] = message;
  if (detail.is_null()) {
    body["detail"] = message;
  } else {
    body["detail"] = detail;
  }
  body["status_code"] = status;
  body["request_id"] = request_id;
  return body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace ota::http
