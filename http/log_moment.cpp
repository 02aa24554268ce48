#include "http/log_moment.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "http/text.hpp"
#include "http/time_format.hpp"

namespace ota::http {
namespace {

constexpr std::uint32_t kLogRetry_s = 1;

// A position, what is no time at all, and a time before that of the newest event: what is being written does not bear it.
bool is_settled(std::string_view text, domain::Time newest) {
  const auto [time, wrong] = parse_time(text);
  return wrong != TimeError::kNone || time < newest;
}

}  // namespace

std::optional<domain::Time> settle_for_times(RequestContext& context, const Api& api, const QueryReader& query,
                                             std::initializer_list<std::string_view> names) {
  const auto& given = query.parameters();
  const auto newest = api.service.log().head_time();
  // Before the wait: what begins meanwhile is not waited for. Behind a clock that was set back the log goes on at the time of its
  // newest event.
  const auto settled = std::max(api.service.now(), newest);
  const bool any = std::any_of(given.begin(), given.end(), [&](const auto& parameter) {
    return is_among(names, parameter.first) && !is_settled(parameter.second, newest);
  });
  if (!any || api.service.settle_begun(api.options.views_wait)) return settled;
  context.answer(Problem::unavailable(
      fmt::format("The log has not moved for {} ms, and a time that has just passed may be in what is being written; try again",
                  api.options.views_wait.count()),
      kLogRetry_s));
  return std::nullopt;
}

bool is_in_log(const FieldPlace& place, std::uint64_t position, eventstore::Position head) {
  if (position <= head.value) return true;
  place.fail(fmt::format("must be at most {}, where the log ends, got '{}'", head.value, position), "less_than_equal");
  return false;
}

eventstore::Position read_after(QueryReader& query, eventstore::Position head) {
  const auto after = static_cast<std::uint64_t>(query.integer_or("after", {0, INT64_MAX}, 0));
  return is_in_log(query.place("after"), after, head) ? eventstore::Position{after} : eventstore::Position{};
}

}  // namespace ota::http
