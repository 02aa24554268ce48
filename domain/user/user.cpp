#include "domain/user/user.hpp"

namespace ota::domain {
namespace {

Events one(const User& s, Event event) { return {{UserStream{s.token}, std::move(event), {}}}; }

Decision on(const User& s, const ChangePreferences& c) {
  if (s.erased) return wrong_state("user", "deleted", "change preferences", {});
  if (s.beta_opt_in == c.beta_opt_in && s.paused_until == c.paused_until) return Events{};
  return one(s, UserPreferencesChanged{c.beta_opt_in, c.paused_until});
}

Decision on(const User& s, const EraseUser&) {
  if (s.erased) return Events{};
  return one(s, SubjectErased{s.token});
}

void apply(User& s, const UserPreferencesChanged& e) {
  s.beta_opt_in = e.beta_opt_in;
  s.paused_until = e.paused_until;
  ++s.revision;
}

void apply(User& s, const SubjectErased&) {
  s.beta_opt_in = false;
  s.paused_until.reset();
  s.erased = true;
  ++s.revision;
}

template <class Other>
void apply(User&, const Other&) {}

}  // namespace

void evolve(User& state, const Recorded& event) {
  if (const auto* stream = std::get_if<UserStream>(&event.stream)) state.token = stream->token;
  std::visit([&](const auto& e) { apply(state, e); }, event.event);
  state.updated_at = event.time;
  state.position = event.position;
}

Decision decide(const User& state, const UserCommand& command, const Context&) {
  return std::visit([&](const auto& c) { return on(state, c); }, command);
}

}  // namespace ota::domain
