#include "tools/otactl/device_list.hpp"

#include <algorithm>

namespace ota::ctl {

std::vector<std::string> device_lines(std::string_view content) {
  constexpr std::string_view kBlanks = " \t\r";
  std::vector<std::string> ids;
  while (!content.empty()) {
    const auto end = std::min(content.find('\n'), content.size());
    std::string_view line = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    const auto first = line.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) continue;
    ids.emplace_back(line.substr(first, line.find_last_not_of(kBlanks) - first + 1));
  }
  return ids;
}

}  // namespace ota::ctl
