// What can have happened to a person, who is a token here and nothing else (design 3).
#pragma once

#include <optional>

#include "domain/words.hpp"

namespace ota::domain {

// What a user wants for their own devices (decision 18).
struct UserPreferencesChanged {
  bool beta_opt_in = false;
  std::optional<Time> paused_until = {};
  bool operator==(const UserPreferencesChanged&) const = default;
};
// The token stands for nobody any more.
struct SubjectErased {
  Caller subject;
  bool operator==(const SubjectErased&) const = default;
};

}  // namespace ota::domain
