// "Why is this device not updated?" (spec/api.md section 5).
#include <nlohmann/json.hpp>

#include "http/api.hpp"
#include "http/commands.hpp"
#include "http/field_errors.hpp"
#include "http/query_reader.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

void why(RequestContext& context, Api& api) {
  const domain::DeviceId device{context.parameter("device_id")};
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  std::optional<domain::CampaignId> campaign;
  if (const auto text = query.string("campaign_id", {1, 100})) {
    campaign = domain::parse_campaign_id(*text);
    if (!campaign) query.fail("campaign_id", "\"" + *text + "\" is not a campaign id");
  }
  if (!errors.empty()) return context.answer(errors.problem());
  const auto answers = api.service.why(device, campaign);
  if (!answers) return context.answer(problem_of(answers.error()));
  json updates = json::array();
  for (const auto& answer : answers.value()) updates.push_back(api.render.why(answer));
  json sentence = "Nothing is meant for this device: no open campaign has it among its targets, and no update of its own "
                  "waits.";
  if (!updates.empty()) sentence = updates.front()["sentence"];
  if (const auto known = api.service.views().device(device); known && known->deleted) {
    sentence = "The device was deleted: nothing is meant for it.";
  }
  context.answer_json(200, json{{"device_id", device.value}, {"sentence", sentence}, {"updates", std::move(updates)}}.dump());
}

}  // namespace

void add_why_routes(Router::Group& admin, Api& api) {
  admin.add("GET", "/devices/{device_id}/why", [&api](RequestContext& c) { why(c, api); });
}

}  // namespace ota::http
