#include "domain/result.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ota::domain {

DomainError not_found(std::string_view what, std::string_view id) {
  return {ErrorCode::kNotFound, fmt::format("{} not found: {}", what, id), {}, {}, {}, {}};
}

DomainError wrong_state(std::string_view what, std::string_view current, std::string_view requested,
                        std::vector<std::string> allowed) {
  const bool vowel = !what.empty() && std::string_view("aeiou").find(what.front()) != std::string_view::npos;
  std::string message = fmt::format("cannot {} {} {} that is {}", requested, vowel ? "an" : "a", what, current);
  if (!allowed.empty()) message += fmt::format("; allowed from: {}", fmt::join(allowed, ", "));
  return {ErrorCode::kStateTransition, std::move(message), {}, std::string(current), std::string(requested),
          std::move(allowed)};
}

DomainError invalid(std::string_view field, std::string message) {
  return {ErrorCode::kInvalid, std::move(message), std::string(field), {}, {}, {}};
}

}  // namespace ota::domain
