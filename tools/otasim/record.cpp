#include "tools/otasim/record.hpp"

#include <algorithm>

namespace ota::sim {

// A device meets a handful of actions, and asks for the last one most of the time.
Attempt& Record::of(std::string_view action) {
  const auto found =
      std::find_if(attempts_.rbegin(), attempts_.rend(),
                   [action](const Attempt& attempt) { return attempt.action == action; });
  if (found != attempts_.rend()) return *found;
  attempts_.emplace_back().action = action;
  return attempts_.back();
}

}  // namespace ota::sim
