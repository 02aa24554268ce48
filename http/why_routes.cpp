// "Why is this device not updated?" (spec/api.md section 5).
#include <algorithm>

#include <nlohmann/json.hpp>

#include "http/api.hpp"
#include "http/commands.hpp"
#include "http/field_errors.hpp"
#include "http/query_reader.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

// Which of them tells what happens to the device: what is under way, else what it is granted next, else the first.
std::size_t telling(const std::vector<actors::Service::Why>& answers, const std::optional<domain::Device>& device) {
  const auto index_of = [&](const auto& is_it) {
    return static_cast<std::size_t>(std::find_if(answers.begin(), answers.end(), is_it) - answers.begin());
  };
  const auto* active = device ? device->active() : nullptr;
  const auto under_way = index_of([&](const auto& answer) { return active && answer.update == active->first; });
  if (under_way < answers.size()) return under_way;
  const auto next = index_of([](const auto& answer) {
    return std::all_of(answer.gates.begin(), answer.gates.end(), [](const auto& gate) { return gate.open; });
  });
  return next < answers.size() ? next : 0;
}

// Where nothing is meant for it, what became of what last was is the answer: " Its last update, upd_..., failed: E7, no space
// left."
std::string of_the_last(const Api& api, const domain::DeviceId& device) {
  const auto newest = api.service.views().device_updates(device, {1, 0, ""}).rows;
  if (newest.empty() || !domain::is_terminal(newest.front().status)) return "";
  const auto& u = newest.front();
  const auto reason = u.error_code.empty() || u.error_message.empty() ? u.error_code + u.error_message : u.error_code + ", " + u.error_message;
  return fmt::format(" Its last update, {} to {}, ended {}{}{}.", domain::to_text(u.id), u.plan.to_version, domain::to_text(u.status),
                     reason.empty() ? "" : ": ", reason);
}

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
  const auto known = api.service.views().device(device);
  if (updates.empty() && !campaign) sentence = sentence.get<std::string>() + of_the_last(api, device);
  if (!updates.empty()) sentence = updates[telling(answers.value(), known)]["sentence"];
  // One that a list has named since is waited for.
  if (known && known->deleted && !api.service.views().ordinal_of(device)) {
    sentence = "The device was deleted: nothing is meant for it.";
  }
  context.answer_json(200, json{{"device_id", device.value}, {"sentence", sentence}, {"updates", std::move(updates)}}.dump());
}

}  // namespace

void add_why_routes(Router::Group& admin, Api& api) {
  admin.add("GET", "/devices/{device_id}/why", [&api](RequestContext& c) { why(c, api); });
}

}  // namespace ota::http
