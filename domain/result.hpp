// What a decision answers: a value, or an error that a person or a peer caused.
//
// One list of error codes; http/ maps it to status codes once. What only a programmer can cause is an assertion.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "domain/streams.hpp"

namespace ota::domain {

enum class ErrorCode {
  kInvalid,           // a field's value cannot be
  kNotFound,
  kStateTransition,   // not from the present status
  kDuplicate,
  kRevision,          // If-Match named another revision
  kBusy,              // too much in flight for this entity; try again
  kQuota,             // as much of it was recorded as ever will be
  kUnavailable,       // the journal is closing, or a neighbour is down
};

struct DomainError {
  ErrorCode code = ErrorCode::kInvalid;
  std::string message;                    // what and why, with the offending value
  std::string field;                      // kInvalid: the field's name in the request
  std::string current_state;              // kStateTransition
  std::string requested;
  std::vector<std::string> allowed;       // states from which it would have been allowed
};

template <class T>
class Result {
 public:
  Result(T value) : value_(std::move(value)) {}                // NOLINT(google-explicit-constructor)
  Result(DomainError error) : value_(std::move(error)) {}      // NOLINT(google-explicit-constructor)
  bool ok() const { return std::holds_alternative<T>(value_); }
  explicit operator bool() const { return ok(); }
  const T& value() const { return std::get<T>(value_); }
  T& value() { return std::get<T>(value_); }
  const DomainError& error() const { return std::get<DomainError>(value_); }

 private:
  std::variant<T, DomainError> value_;
};

// The events that a command leads to; none if it has already taken effect.
using Events = std::vector<Emitted>;
using Decision = Result<Events>;

DomainError not_found(std::string_view what, std::string_view id);
DomainError wrong_state(std::string_view what, std::string_view current, std::string_view requested,
                        std::vector<std::string> allowed);
DomainError invalid(std::string_view field, std::string message);

}  // namespace ota::domain
