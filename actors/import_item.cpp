#include "actors/import_item.hpp"

#include <iterator>

namespace ota::actors {
namespace {

// What a command leads to; the state follows if anything else is decided on it.
domain::Decision follow(ImportItem& item, const domain::DeviceCommand& command, const domain::Context& context) {
  auto decision = domain::decide(item.state, command, context);
  const bool is_last = item.more.empty() && !item.state.registered;
  if (!decision || is_last) return decision;
  for (const auto& emitted : decision.value()) {
    domain::evolve(item.state,
                   {item.state.position, context.now, emitted.stream, emitted.event, emitted.device, context.caller},
                   context.settings);
  }
  return decision;
}

domain::Decision bring_back(ImportItem& item, const domain::ChangeAttributes& change, const domain::Context& context) {
  const auto before = item.state;
  auto decision = follow(item, registration(change, *item.ordinal), context);
  if (!decision) return decision;
  // A return takes nothing away that the device had: attributes that are null, groups that are none.
  auto rest = follow(item, change, context);
  if (!rest) {
    item.state = before;
    return rest;
  }
  std::move(rest.value().begin(), rest.value().end(), std::back_inserter(decision.value()));
  return decision;
}

}  // namespace

domain::RegisterDevice registration(const domain::ChangeAttributes& change, domain::Ordinal ordinal) {
  return {ordinal, domain::RegisteredVia::kImport, change.values, change.groups.value_or(std::vector<std::string>{}),
          change.owner.value_or(domain::Caller{})};
}

domain::Decision decide(ImportItem& item, DecidedLine& line, const domain::Context& context) {
  const auto& change = line.said.change;
  if (!item.state.registered) {
    line.outcome = ImportOutcome::kRegistered;
    return follow(item, registration(change, *item.ordinal), context);
  }
  if (item.state.deleted) {
    line.outcome = ImportOutcome::kReturned;
    return bring_back(item, change, context);
  }
  auto decision = follow(item, change, context);
  const bool is_news = decision && !decision.value().empty();
  line.outcome = is_news ? ImportOutcome::kChanged : ImportOutcome::kUnchanged;
  return decision;
}

}  // namespace ota::actors
