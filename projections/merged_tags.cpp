#include "projections/merged_tags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "projections/decoded.hpp"

namespace ota::projections {

void read_merged(const eventstore::Log& log, const std::string& own, const std::vector<std::string>& others,
                 domain::Position after, domain::Position until,
                 const std::function<void(const domain::Recorded&, const eventstore::RecordedEvent*)>& visit) {
  const auto give = [&](const domain::Recorded& event, const eventstore::RecordedEvent* as_kept) {
    if (event.damaged) throw std::runtime_error(fmt::format("the event at {} cannot be read", event.position.value));
    visit(event, as_kept);
  };
  std::vector<domain::Recorded> beside;
  for (const auto& tag : others) {
    log.read_tag(tag, to_store(after), [&](const eventstore::RecordedEvent& event) {
      if (event.position.value > until.value) return false;
      beside.push_back(decode(event));
      return true;
    });
  }
  std::sort(beside.begin(), beside.end(), [](const auto& a, const auto& b) { return a.position < b.position; });
  std::size_t next = 0;
  const auto give_before = [&](domain::Position position) {
    for (; next < beside.size() && beside[next].position < position; ++next) give(beside[next], nullptr);
  };
  log.read_tag(own, to_store(after), [&](const eventstore::RecordedEvent& event) {
    if (event.position.value > until.value) return false;
    const auto recorded = decode(event);
    give_before(recorded.position);
    give(recorded, &event);
    return true;
  });
  give_before({UINT64_MAX});
}

}  // namespace ota::projections
