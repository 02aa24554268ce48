// What a reader of messages answers: a value, or why there is none.
#pragma once

#include <optional>
#include <string>

namespace ota::sim {

template <class T>
struct Parsed {
  std::optional<T> value;
  std::string error;
};

}  // namespace ota::sim
