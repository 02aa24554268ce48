// User: what somebody wants for the devices that are theirs (decision 18). The log knows a token, never a name.
//
// The stream is user:<token>. A grant to one of their devices is conditioned on it: a pause that was written before a grant
// is never overtaken by it.
#pragma once

#include <optional>
#include <variant>

#include "domain/result.hpp"
#include "domain/settings.hpp"
#include "domain/streams.hpp"

namespace ota::domain {

struct User {
  Caller token;
  bool beta_opt_in = false;               // beta firmware may be asked for on their devices (decision 6)
  std::optional<Time> paused_until;       // their devices are granted nothing until then
  bool erased = false;                    // the token stands for nobody any more
  Time updated_at{};
  std::uint32_t revision = 0;
  Position position;                      // the last event folded
};

// Takes the place of what was wanted before; the same again writes nothing.
struct ChangePreferences {
  bool beta_opt_in = false;
  std::optional<Time> paused_until = {};
};
// The last step of a deletion, when nothing of theirs is under way: preferences and name are gone.
struct EraseUser {};
using UserCommand = std::variant<ChangePreferences, EraseUser>;

void evolve(User& state, const Recorded& event);
Decision decide(const User& state, const UserCommand& command, const Context& context);

}  // namespace ota::domain
