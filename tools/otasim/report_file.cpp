#include "tools/otasim/report_file.hpp"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tools/otasim/fleet.hpp"

namespace ota::sim {

std::string report_line(const DeviceProfile& profile, const std::string& version,
                        const Record& record) {
  nlohmann::ordered_json line{{"device", profile.id},
                              {"client", profile.over_mqtt ? "mqtt" : profile.style().name},
                              {"online", profile.online},
                              {"version", version},
                              {"attempts", nlohmann::ordered_json::array()}};
  for (const Attempt& attempt : record.attempts())
    line["attempts"].push_back({{"action", attempt.action},
                                {"version", attempt.version},
                                {"reads", attempt.reads},
                                {"installs", attempt.installs},
                                {"reports_acked", attempt.reports_acked},
                                {"acked_end", attempt.acked_end},
                                {"cancel_agreed", attempt.cancel_agreed},
                                {"power_was_cut", attempt.power_was_cut},
                                {"ended", attempt.ended}});
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void write_report(const std::string& path, const Fleet& fleet) {
  std::ofstream file{path, std::ios::trunc};
  for (const Device& device : fleet.devices())
    file << report_line(device.profile(), device.version(), device.record());
  file.flush();
  if (!file) throw std::runtime_error(fmt::format("cannot write --report {}", path));
}

}  // namespace ota::sim
