// Every setting of otad, once: its name, its default, what it means and what it sets.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/otad/config.hpp"

namespace ota::tools {

using Set = std::function<void(Config&, const std::string&)>;

struct Setting {
  const char* name;
  const char* fallback;
  const char* meaning;
  Set set;
};

// What `set` throws is BadValue (setting_values.hpp).
const std::vector<Setting>& settings();

}  // namespace ota::tools
