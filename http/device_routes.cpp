// The embedded device directory: list, show, register or change, delete, history (spec/api.md section 5).
#include <nlohmann/json.hpp>

#include "http/api.hpp"
#include "http/commands.hpp"
#include "http/device_request.hpp"
#include "http/field_errors.hpp"
#include "http/json_reader.hpp"
#include "http/limits.hpp"
#include "http/past_answers.hpp"
#include "http/query_reader.hpp"
#include "http/text.hpp"
#include "http/waiting.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

constexpr std::size_t kHistoryPage = 200;

domain::DeviceId device_id(const RequestContext& context) { return {context.parameter("device_id")}; }

void answer_device(RequestContext& context, Api& api, int status) {
  const auto device = api.service.views().device(device_id(context));
  if (!device || !device->registered) {
    return context.answer(Problem::not_found("Device not found: " + device_id(context).value));
  }
  context.answer_json(status, api.render.device(*device).dump());
}

// What another request with the same Idempotency-Key has done meanwhile.
void answer_repeated(RequestContext& context, Api& api, const eventstore::CommandRecord& record,
                     const actors::Meta& meta) {
  if (const auto problem = other_request(record, meta)) return context.answer(*problem);
  answer_device(context, api, record.status);
}

void list_devices(RequestContext& context, Api& api) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  projections::DeviceFilter filter;
  filter.model = query.string("device_model", {1, 100});
  filter.firmware_version = query.string("firmware_version", {1, 128});
  filter.group = query.string("group", {1, 128});
  filter.id_prefix = query.string("prefix", {1, 256});
  const auto user = query.string("user_id", {1, limits::kUserIdBytes});
  const auto page = query.page();
  const auto cursor = query.string("cursor", {1, 1'000}).value_or("");
  if (!errors.empty()) return context.answer(errors.problem());
  // Nobody is made known by being asked for: a token that nothing has.
  if (user) filter.owner = api.service.known_user(*user).value_or(domain::Caller{UINT64_MAX});
  const auto rows = api.service.views().device_list(
      filter, {static_cast<std::size_t>(page.limit), static_cast<std::size_t>(page.offset), cursor});
  if (rows.bad_cursor) {
    return context.answer(Problem::invalid_field({"query", "cursor"}, "the cursor is none of ours", "value_error"));
  }
  json items = json::array();
  for (const auto& device : rows.rows) items.push_back(api.render.device(device));
  json shown_filters = json::object();
  const auto show = [&](const char* name, const auto& value) {
    if (value) shown_filters[name] = *value;
  };
  show("device_model", filter.model);
  show("firmware_version", filter.firmware_version);
  show("group", filter.group);
  show("prefix", filter.id_prefix);
  show("user_id", user);
  answer_list(context,
              {"devices", std::move(items), page.limit, page.offset, rows.next_cursor, std::move(shown_filters)});
}

void put(RequestContext& context, Api& api) {
  auto found = meta_of(context, api.service, 200);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);
  const auto before = look_back(context, api.service, context.body(), meta);
  if (before.answered) return;
  if (before.record) return answer_device(context, api, before.record->status);
  auto body = json_body(context, false);
  if (!body) return;
  FieldErrors errors;
  JsonReader reader(*body, errors);
  auto request = read_device(*body, reader, errors);
  if (!errors.empty()) return context.answer(errors.problem());
  auto& change = request.change;
  if (!request.person.empty()) change.owner = api.service.caller_of(request.person);
  const auto id = device_id(context);
  const auto known = api.service.views().device(id);
  const bool is_new = !known || !known->registered || known->deleted;
  // Registering twice is registering once; it is the change that is remembered under an
  // Idempotency-Key, so that it must have something to change.
  meta.status = is_new ? 201 : 200;
  domain::RegisterDevice registration{{}, domain::RegisteredVia::kApi, {}, {}, {}};
  auto registering = meta;
  registering.repeatable = false;
  if (!meta.repeatable) {
    registration.attributes = change.values;
    registration.groups = change.groups.value_or(std::vector<std::string>{});
    registration.owner = change.owner.value_or(domain::Caller{});
  }
  const auto registered = api.service.device(id, std::move(registration), std::move(registering));
  if (!registered) return context.answer(problem_of(registered.error()));
  meta.goes_on = true;
  const auto changed = api.service.device(id, change, meta);
  if (!changed) return context.answer(problem_of(changed.error()));
  if (changed.value().repeated)
    return answer_repeated(context, api, *changed.value().repeated, meta);
  answer_device(context, api, meta.status);
}

void erase(RequestContext& context, Api& api) {
  auto found = meta_of(context, api.service, 200);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);
  const auto before = look_back(context, api.service, context.body(), meta);
  if (before.answered) return;
  if (before.record) return answer_device(context, api, before.record->status);
  const auto answer =
      api.service.device(device_id(context), domain::DeleteDevice{"deleted by an operator"}, meta);
  if (!answer) return context.answer(problem_of(answer.error()));
  if (answer.value().repeated) return answer_repeated(context, api, *answer.value().repeated, meta);
  answer_device(context, api, 200);
}

void history(RequestContext& context, Api& api) {
  if (answer_past_device_updates(context, api)) return;
  const auto id = device_id(context);
  const auto device = api.service.views().device(id);
  if (!device || !device->registered) return context.answer(Problem::not_found("Device not found: " + id.value));
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  const auto page = query.page();
  const auto cursor = query.string("cursor", {1, 1'000}).value_or("");
  if (!errors.empty()) return context.answer(errors.problem());
  const auto rows = api.service.views().device_updates(
      id, {static_cast<std::size_t>(page.limit), static_cast<std::size_t>(page.offset), cursor});
  if (rows.bad_cursor) {
    return context.answer(Problem::invalid_field({"query", "cursor"}, "the cursor is none of ours", "value_error"));
  }
  // What takes it back is listed, and is in no rate; what was taken back had completed (decision 10).
  std::uint64_t total = 0;
  std::uint64_t rollbacks = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  json last = nullptr;
  projections::PageRequest all{kHistoryPage, 0, ""};
  do {
    const auto part = api.service.views().device_updates(id, all);
    if (total == 0 && !part.rows.empty()) last = format_time(part.rows.front().updated_at);
    for (const auto& update : part.rows) {
      ++total;
      if (update.is_rollback()) {
        ++rollbacks;
        continue;
      }
      using Status = domain::UpdateStatus;
      if (update.status == Status::kCompleted || update.status == Status::kRollback) ++completed;
      if (update.status == Status::kFailed) ++failed;
    }
    all.cursor = part.next_cursor;
  } while (!all.cursor.empty());
  context.answer_json(200, json{{"device_id", id.value},
                                {"updates", shown_history(api, id, rows.rows)},
                                {"total_updates", total},
                                {"rollback_updates", rollbacks},
                                {"successful_updates", completed},
                                {"failed_updates", failed},
                                {"avg_success_rate", success_rate(completed, failed)},
                                {"last_update", std::move(last)},
                                {"limit", page.limit},
                                {"offset", page.offset},
                                {"next_cursor", rows.next_cursor.empty() ? json(nullptr) : json(rows.next_cursor)}}
                               .dump());
}

}  // namespace

void add_device_routes(Router::Group& admin, Api& api) {
  admin.add("GET", "/devices", [&api](RequestContext& c) { list_devices(c, api); });
  admin.add("GET", "/devices/{device_id}", [&api](RequestContext& c) {
    if (!answer_past_device(c, api)) answer_device(c, api, 200);
  }, admin.unchecked());
  admin.add("PUT", "/devices/{device_id}", [&api](RequestContext& c) { put(c, api); });
  admin.add("DELETE", "/devices/{device_id}", [&api](RequestContext& c) { erase(c, api); });
  admin.add("GET", "/devices/{device_id}/updates", [&api](RequestContext& c) { history(c, api); }, admin.unchecked());
}

}  // namespace ota::http
