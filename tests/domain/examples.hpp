// One fully populated example of every event that can be written, for the codec's tests and the
// golden files.
//
// An example is for ever, like its golden file: when an event gains a field, leave its examples as
// they are (old logs have such events) and add one more that has the field.
#pragma once

#include <string>
#include <vector>

#include "domain/events.hpp"

namespace ota::domain::testing {

struct Example {
  std::string message;  // its name in events.proto
  std::string variant;  // tells several examples of one event apart; empty: the first
  Event event;
};
const std::vector<Example>& examples();

}  // namespace ota::domain::testing
