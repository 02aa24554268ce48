#include "tools/otactl/rollback_text.hpp"

#include <fmt/format.h>

#include "tools/otactl/human.hpp"
#include "tools/otactl/json_cells.hpp"
#include "tools/otactl/table.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

const std::vector<Shown> kRollbackColumns{{"ROLLBACK", {"rollback_id"}},
                                          {"DEVICE", {"device_id"}},
                                          {"STATUS", {"status"}},
                                          {"TRIGGER", {"trigger"}},
                                          {"FROM", {"from_version"}},
                                          {"TO", {"to_version"}},
                                          {"ERROR", {"error_code"}},
                                          {"STARTED", {"started_at"}, As::kTime}};

const std::vector<Shown> kRollbackLines{{"rollback", {"rollback_id"}},
                                        {"device", {"device_id"}},
                                        {"update", {"update_id"}},
                                        {"campaign", {"campaign_id"}},
                                        {"status", {"status"}},
                                        {"trigger", {"trigger"}},
                                        {"reason", {"reason"}},
                                        {"from", {"from_version"}},
                                        {"to", {"to_version"}},
                                        {"progress", {"progress_percentage"}, As::kPercent},
                                        {"undoes update", {"undoes_update_id"}},
                                        {"error", {"error_code"}},
                                        {"error text", {"error_message"}},
                                        {"started", {"started_at"}, As::kTime},
                                        {"completed", {"completed_at"}, As::kTime}};

std::string word(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? text::printable(found->get<std::string>())
                                                     : std::string{};
}

bool is_open(const json& gate) {
  const auto found = gate.find("open");
  return found != gate.end() && found->is_boolean() && found->get<bool>();
}

// What comes behind a closed gate is shown too: it may be the next one.
std::string gates_text(const json& gates) {
  Table table{{{""}, {"GATE"}, {""}, {"FACT"}}};
  bool before = true;
  for (const json& gate : gates) {
    if (!gate.is_object()) continue;
    const bool open = is_open(gate);
    std::string fact = word(gate, "fact");
    if (const auto until = word(gate, "until"); !until.empty()) fact += ", until " + text::human_time(until);
    table.add({before && !open ? "->" : "", word(gate, "gate"), open ? "open" : "closed", fact});
    before = before && open;
  }
  return table.text();
}

}  // namespace

std::string rollback_text(const json& rollback) { return object_lines(rollback, kRollbackLines); }

std::string rollbacks_text(const json& page) { return list_text(page, "rollbacks", kRollbackColumns); }

std::string why_text(const json& answer) {
  const auto updates = answer.is_object() ? answer.find("updates") : answer.end();
  if (!answer.is_object() || updates == answer.end() || !updates->is_array() || updates->empty()) {
    return answer.is_object() ? word(answer, "sentence") + "\n" : std::string{};
  }
  std::string shown;
  for (const json& update : *updates) {
    if (!update.is_object()) continue;
    if (!shown.empty()) shown += "\n";
    const auto campaign = word(update, "campaign_id");
    shown += campaign.empty() ? fmt::format("update {}\n", word(update, "update_id"))
                              : fmt::format("campaign {}\n", campaign);
    shown += word(update, "sentence") + "\n";
    if (const auto gates = update.find("gates"); gates != update.end()) shown += gates_text(*gates);
  }
  return shown;
}

}  // namespace ota::ctl
