#include "actors/request.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ota::actors {

domain::DomainError wrong_revision(const Meta& meta, std::uint32_t present) {
  const std::vector<std::uint32_t> named = meta.if_match.value_or(std::vector<std::uint32_t>{});
  const std::string which = named.empty() ? "no revision" : fmt::format("revision {}", fmt::join(named, ", "));
  return {domain::ErrorCode::kRevision, fmt::format("If-Match names {}, the present one is {}", which, present), {}, {}, {}, {}};
}

}  // namespace ota::actors
