// Direct updates of many devices: POST /devices/bulk/update (spec/api.md section 5).
//
// One answer for each device, in the order asked; what is wrong with one device does not stop the others. A device that is
// named twice is asked once, and both entries tell what became of it. With an Idempotency-Key each device has a command id
// of its own, so a repeat answers what was done and does what was not, also behind a crash in the middle.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "http/api.hpp"
#include "http/campaign_request.hpp"
#include "http/commands.hpp"
#include "http/device_request.hpp"
#include "http/direct_update.hpp"
#include "http/field_errors.hpp"
#include "http/json_reader.hpp"
#include "http/limits.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

// What became of a device: an update, or a problem; neither as long as it was not asked.
struct Entry {
  explicit Entry(std::string id) : device{std::move(id)} {}
  domain::DeviceId device;
  std::optional<domain::UpdateId> update;
  std::optional<Problem> problem;

  bool is_open() const { return !update && !problem; }
};

class BulkUpdate {
 public:
  BulkUpdate(Api& api, actors::Meta meta, std::string_view key, DirectRequest asked, std::vector<std::string> devices);

  // Puts down what an earlier request with this key has done. The problem: it was another request.
  std::optional<Problem> look_back();
  std::size_t open() const;               // how many devices it found nothing of
  bool is_begun() const { return open() < entries_.size(); }
  bool is_unfinished() const;             // a device could not be asked now
  // Asks every device that is open.
  void run(const projections::FirmwareRow& firmware);
  // The same problem for every device that is open.
  void refuse(const Problem& problem);
  json answer() const;

 private:
  actors::Meta meta_of(const Entry& entry) const;
  std::optional<Problem> look_back(Entry& entry);
  void take(Entry& entry, const domain::UpdateId& update, const actors::Answer& answer);
  void take_earlier(Entry& entry, const eventstore::CommandRecord& record);

  Api& api_;
  const actors::Meta meta_;
  const std::string_view key_;
  const DirectRequest asked_;
  std::vector<Entry> entries_;            // one a device
  std::vector<std::size_t> order_;        // of the entries, as they were asked for
};

BulkUpdate::BulkUpdate(Api& api, actors::Meta meta, std::string_view key, DirectRequest asked,
                       std::vector<std::string> devices)
    : api_(api), meta_(std::move(meta)), key_(key), asked_(std::move(asked)) {
  std::unordered_map<std::string, std::size_t> known;
  for (auto& device : devices) {
    const auto [at, fresh] = known.emplace(device, entries_.size());
    if (fresh) entries_.emplace_back(std::move(device));
    order_.push_back(at->second);
  }
}

actors::Meta BulkUpdate::meta_of(const Entry& entry) const {
  auto meta = meta_;
  if (meta.repeatable) meta.command = command_for(meta.caller, key_, entry.device);
  return meta;
}

std::optional<Problem> BulkUpdate::look_back() {
  if (!meta_.repeatable) return std::nullopt;
  for (auto& entry : entries_) {
    if (auto problem = look_back(entry)) return problem;
  }
  return std::nullopt;
}

std::optional<Problem> BulkUpdate::look_back(Entry& entry) {
  const auto meta = meta_of(entry);
  const auto record = api_.service.log().command(*meta.command, api_.service.now());
  if (!record) return std::nullopt;
  if (auto problem = other_request(*record, meta)) return problem;
  take_earlier(entry, *record);
  return std::nullopt;
}

void BulkUpdate::take_earlier(Entry& entry, const eventstore::CommandRecord& record) {
  api_.service.settle(record.position);  // the caller will look for it in the views
  const auto stream = stream_at(api_.service, record.position);
  const auto* update = stream ? std::get_if<domain::UpdateId>(&*stream) : nullptr;
  if (update) {
    entry.update = *update;
    entry.problem.reset();
  } else {
    entry.problem = Problem::internal();
  }
}

std::size_t BulkUpdate::open() const {
  const auto is_open = [](const Entry& entry) { return entry.is_open(); };
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), is_open));
}

bool BulkUpdate::is_unfinished() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const Entry& entry) {
    return entry.problem && entry.problem->kind == ProblemKind::kUnavailable;
  });
}

void BulkUpdate::refuse(const Problem& problem) {
  for (auto& entry : entries_) {
    if (entry.is_open()) entry.problem = problem;
  }
}

void BulkUpdate::run(const projections::FirmwareRow& firmware) {
  std::vector<actors::Service::DeviceAsk> asks;
  std::vector<std::pair<Entry*, domain::UpdateId>> asked;
  for (auto& entry : entries_) {
    if (!entry.is_open()) continue;
    auto device = device_to_update(api_.service, entry.device);
    if (auto* problem = std::get_if<Problem>(&device)) {
      entry.problem = std::move(*problem);
      continue;
    }
    auto plan = plan_for(api_.service, asked_, firmware, std::get<domain::Device>(device));
    if (auto* problem = std::get_if<Problem>(&plan)) {
      entry.problem = std::move(*problem);
      continue;
    }
    const auto update = domain::UpdateId::direct(actors::new_uuid(api_.service.now()));
    asked.emplace_back(&entry, update);
    asks.push_back({entry.device,
                    domain::RequestUpdate{update, entry.device, std::move(std::get<domain::UpdatePlan>(plan))},
                    meta_of(entry)});
  }
  const auto answers = api_.service.devices(std::move(asks));
  for (std::size_t i = 0; i < answers.size(); ++i) take(*asked[i].first, asked[i].second, answers[i]);
}

void BulkUpdate::take(Entry& entry, const domain::UpdateId& update, const actors::Answer& answer) {
  if (!answer) {
    // The same request may have been faster on another connection: then it is no duplicate but done.
    if (meta_.repeatable && !look_back(entry) && !entry.is_open()) return;
    entry.problem = problem_of(answer.error());
  } else if (const auto& repeated = answer.value().repeated) {
    if (auto problem = other_request(*repeated, meta_)) {
      entry.problem = std::move(*problem);
    } else {
      take_earlier(entry, *repeated);
    }
  } else {
    entry.update = update;
  }
}

json BulkUpdate::answer() const {
  json results = json::array();
  for (const auto at : order_) {
    const auto& entry = entries_[at];
    json result{{"device_id", entry.device.value}, {"success", entry.update.has_value()}};
    if (entry.update) {
      result["update_id"] = domain::to_text(*entry.update);
    } else {
      result["error"] = entry.problem->message;
      result["kind"] = to_text(entry.problem->kind);
    }
    results.push_back(std::move(result));
  }
  return {{"results", std::move(results)}, {"total", order_.size()}};
}

std::vector<std::string> read_devices(JsonReader& body, FieldErrors& errors) {
  const auto errors_before = errors.size();
  auto devices = body.required_strings("device_ids", limits::kBulkDevices, check_device_id);
  if (devices.empty() && errors.size() == errors_before) {
    body.fail("device_ids", "must name at least 1 device, got 0", "too_short");
  }
  return devices;
}

// The key belongs to this body from now on, before anything is done under it.
std::optional<Problem> tie_key(Api& api, const actors::Meta& meta, const Before& before) {
  if (!meta.repeatable || before.record) return std::nullopt;
  const auto noted = api.service.remember(meta);
  if (!noted) return problem_of(noted.error());
  return noted.value().repeated ? other_request(*noted.value().repeated, meta) : std::nullopt;
}

void bulk_update(RequestContext& context, Api& api) {
  auto found = meta_of(context, api.service, 200);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);
  meta.if_match.reset();  // devices have no revision
  const auto before = look_back(context, api.service, context.body(), meta);
  if (before.answered) return;
  auto body = json_body(context);
  if (!body) return;
  FieldErrors errors;
  JsonReader reader(*body, errors);
  auto devices = read_devices(reader, errors);
  DirectRequest asked;
  const auto no_firmware = no_such_firmware(*body);
  asked.plan = read_update_request(*body, errors, asked.allow_beta);
  if (!errors.empty()) return context.answer(errors.problem());
  if (no_firmware) return context.answer(*no_firmware);

  BulkUpdate bulk(api, meta, context.idempotency_key().value_or(""), asked, std::move(devices));
  if (const auto problem = bulk.look_back()) return context.answer(*problem);
  if (bulk.open() > 0) {
    const auto firmware = firmware_for(api.service, asked);
    if (const auto* problem = std::get_if<Problem>(&firmware)) {
      // No device can be given it: that is the answer, unless some have been.
      if (!bulk.is_begun()) return context.answer(*problem);
      bulk.refuse(*problem);
    } else {
      if (const auto reused = tie_key(api, meta, before)) return context.answer(*reused);
      bulk.run(std::get<projections::FirmwareRow>(firmware));
    }
  }
  // What says "not now" is no answer for the next 24 hours; the repeat then does what is left.
  if (bulk.is_unfinished()) context.when_answered({});
  context.answer_json(200, bulk.answer().dump());
}

}  // namespace

void add_bulk_update_routes(Router::Group& admin, Api& api) {
  RouteOptions options = admin.defaults();
  options.body_bytes_max = limits::kBulkBodyBytes;
  admin.add("POST", "/devices/bulk/update", [&api](RequestContext& c) { bulk_update(c, api); }, options);
}

}  // namespace ota::http
