#include "tools/otactl/device_text.hpp"

#include "tools/otactl/human.hpp"
#include "tools/otactl/json_cells.hpp"

namespace ota::ctl {
namespace {

const std::vector<Shown> kDeviceColumns{{"DEVICE", {"device_id"}},
                                        {"MODEL", {"device_model", "model", "device_type"}},
                                        {"HARDWARE", {"hardware_version"}},
                                        {"VERSION", {"firmware_version"}},
                                        {"STATUS", {"status"}},
                                        {"GROUPS", {"groups", "group"}},
                                        {"LAST SEEN", {"last_seen", "last_seen_at"}, As::kTime}};

const std::vector<Shown> kDeviceLines{{"device", {"device_id"}},
                                      {"name", {"name"}},
                                      {"status", {"status"}},
                                      {"model", {"device_model", "model", "device_type"}},
                                      {"hardware", {"hardware_version"}},
                                      {"version", {"firmware_version"}},
                                      {"groups", {"groups", "group"}},
                                      {"owner", {"user_id", "owner"}},
                                      {"attributes", {"attributes"}},
                                      {"address", {"address", "last_address"}},
                                      {"last seen", {"last_seen", "last_seen_at"}, As::kTime},
                                      {"  known since", {"last_seen_since"}, As::kTime},
                                      {"registered", {"registered_at", "created_at"}, As::kTime},
                                      {"updated", {"updated_at"}, As::kTime}};

}  // namespace

std::string device_text(const nlohmann::json& device) { return object_lines(device, kDeviceLines); }

std::string devices_text(const nlohmann::json& page) { return list_text(page, "devices", kDeviceColumns); }

}  // namespace ota::ctl
