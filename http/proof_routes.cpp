// What the log proves of itself: checkpoints, keys, and paths between events and checkpoints (RFC 9162; docs/log-format.md).
//
// A checkpoint is signed before it is shown, and holds everything that was in the log when it was asked for. Who keeps one can
// have shown later that an event was in the log then, and that the log of today begins with that of then.
#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/log_verifier.hpp"
#include "eventstore/base64.hpp"
#include "eventstore/checkpoint.hpp"
#include "eventstore/proofs.hpp"
#include "http/api.hpp"
#include "http/audit_record.hpp"
#include "http/commands.hpp"
#include "http/event_json.hpp"
#include "http/field_errors.hpp"
#include "http/query_reader.hpp"
#include "http/text.hpp"
#include "http/time_format.hpp"
#include "projections/log_key_list.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

constexpr std::int64_t kCheckpointsMax = 1'000;
constexpr std::int64_t kCheckpointsDefault = 100;

std::string_view bytes_of(const eventstore::Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }
std::string text_of(const eventstore::Hash& hash) { return eventstore::base64_of(bytes_of(hash)); }

json path_json(const std::vector<eventstore::Hash>& path) {
  json all = json::array();
  for (const auto& hash : path) all.push_back(text_of(hash));
  return all;
}
json tree_json(const eventstore::merkle::Tree& tree) { return {{"size", tree.size}, {"root", text_of(tree.root)}}; }

std::string_view word_of(domain::LogKeyChange change) {
  switch (change) {
    case domain::LogKeyChange::kFirst: return "first";
    case domain::LogKeyChange::kRotated: return "rotated";
    case domain::LogKeyChange::kLost: return "lost";
  }
  return "unknown";
}

json key_json(const Api& api, const projections::LogKey& key) {
  const auto actor = api.service.person_of(key.caller);
  return {{"key", key.key.text()},
          {"origin", key.key.name},
          {"position", key.position.value},
          {"until", key.until.value == 0 ? json(nullptr) : json(key.until.value)},
          {"since", format_time(key.since)},
          {"change", word_of(key.change)},
          {"vouched", key.vouched},
          {"actor", actor ? json(*actor) : json(nullptr)}};
}

json keys_json(const Api& api) {
  json keys = json::array();
  for (const auto& key : projections::log_keys(api.service.log())) keys.push_back(key_json(api, key));
  return keys;
}

// ---- checkpoints -----------------------------------------------------------------------------------------------------

void checkpoint(RequestContext& context, Api& api) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  const auto size = query.integer("size_at_most", {1, INT64_MAX});
  if (!errors.empty()) return context.answer(errors.problem());
  if (!size) api.service.sign();
  const auto note = api.service.proofs().checkpoint(size ? static_cast<std::uint64_t>(*size) : UINT64_MAX);
  if (!note) return context.answer(Problem::not_found("No checkpoint of so few events is kept, or the log is not signed"));
  context.answer_text(200, *note, "text/plain; charset=utf-8");
}

void checkpoints(RequestContext& context, Api& api) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  const auto after = query.integer_or("after", {0, INT64_MAX}, 0);
  const auto limit = query.integer_or("limit", {1, kCheckpointsMax}, kCheckpointsDefault);
  if (!errors.empty()) return context.answer(errors.problem());
  json items = json::array();
  bool more = false;
  auto last = static_cast<std::uint64_t>(after);
  api.service.proofs().checkpoints(last, [&](std::uint64_t size, std::string_view note) {
    more = items.size() == static_cast<std::size_t>(limit);
    if (more) return false;
    last = size;
    const auto parsed = eventstore::parse_checkpoint(note);
    const auto* read = std::get_if<eventstore::SignedCheckpoint>(&parsed);
    items.push_back({{"size", size},
                     {"root", read ? json(text_of(read->checkpoint.tree.root)) : json(nullptr)},
                     {"time", read ? json(format_time(read->checkpoint.time)) : json(nullptr)},
                     {"note", std::string(note)}});
    return true;
  });
  context.answer_json(200, json{{"checkpoints", std::move(items)}, {"next_after", last}, {"more", more}, {"limit", limit}}.dump());
}

// ---- keys ------------------------------------------------------------------------------------------------------------

void keys(RequestContext& context, Api& api) {
  context.answer_json(200, json{{"keys", keys_json(api)}}.dump());
}

void rotate_key(RequestContext& context, Api& api) {
  auto found = meta_of(context, api.service, 201);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);
  const auto before = look_back(context, api.service, context.body(), meta);
  if (before.answered) return;
  auto position = before.record ? before.record->position : eventstore::Position{};
  if (!before.record) {
    const auto answer = api.service.rotate_log_key(meta);
    if (!answer) return context.answer(problem_of(answer.error()));
    if (answer.value().repeated) {
      if (const auto problem = other_request(*answer.value().repeated, meta)) return context.answer(*problem);
    }
    position = answer.value().position;
  }
  const auto known = projections::log_keys(api.service.log());
  const auto made = std::find_if(known.begin(), known.end(), [&](const auto& key) { return key.position == position; });
  context.answer_json(201, (made == known.end() ? json(nullptr) : key_json(api, *made)).dump());
}

// ---- paths -----------------------------------------------------------------------------------------------------------

// A place in the log that a query names; empty after an error.
std::optional<std::uint64_t> size_of(QueryReader& query, const char* name, std::uint64_t head, std::optional<std::uint64_t> fallback) {
  const auto given = query.integer(name, {0, INT64_MAX});
  if (!given) {
    if (!fallback && !query.has(name)) query.fail(name, "field required", "missing");
    return fallback;
  }
  const auto size = static_cast<std::uint64_t>(*given);
  if (size <= head) return size;
  query.fail(name, fmt::format("the log ends at {}, got {}", head, size));
  return std::nullopt;
}

// The note that was signed of exactly that tree; null if none is kept.
json note_of(const eventstore::Proofs& proofs, std::uint64_t size) {
  const auto note = proofs.checkpoint(size);
  const auto parsed = note ? eventstore::parse_checkpoint(*note) : std::variant<eventstore::SignedCheckpoint, std::string>("");
  const auto* read = std::get_if<eventstore::SignedCheckpoint>(&parsed);
  return read && read->checkpoint.tree.size == size ? json(*note) : json(nullptr);
}

// The size of the newest tree that was signed and holds the event; signs one if none does.
std::uint64_t signed_size(const Api& api, std::uint64_t position) {
  const auto newest = [&]() -> std::uint64_t {
    const auto note = api.service.proofs().checkpoint();
    if (!note) return 0;
    const auto parsed = eventstore::parse_checkpoint(*note);
    const auto* read = std::get_if<eventstore::SignedCheckpoint>(&parsed);
    return read ? read->checkpoint.tree.size : 0;
  };
  if (const auto size = newest(); size >= position) return size;
  api.service.sign();
  const auto size = newest();
  return size >= position ? size : api.service.log().head().value;   // not signed: a path to the tree of now
}

// Of the path: digits, from 1; empty if it is none.
std::optional<std::uint64_t> position_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

void inclusion(RequestContext& context, Api& api) {
  const auto& text = context.parameter("position");
  const auto head = api.service.log().head().value;
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  const auto position = position_of(text);
  if (!position) {
    return context.answer(Problem::invalid_field(json::array({"path", "position"}),
                                                 fmt::format("'{}' is no position: a number from 1", shown(text)), "int_parsing"));
  }
  if (*position > head) return context.answer(Problem::not_found(fmt::format("No event {}: the log ends at {}", *position, head)));
  auto size = query.has("size") ? size_of(query, "size", head, {}) : signed_size(api, *position);
  if (size && *size < *position) query.fail("size", fmt::format("must be at least the event's position {}, got {}", *position, *size));
  if (!errors.empty()) return context.answer(errors.problem());
  const auto proofs = api.service.proofs();
  const auto record = proofs.record({*position});
  if (!record) throw eventstore::LogError(fmt::format("event {} is missing", *position), {*position});
  json event;
  api.service.log().read_one({*position}, [&](const eventstore::RecordedEvent& e) {
    event = event_json(api, e);
    return true;
  });
  eventstore::Sha256 sha;
  context.answer_json(200, json{{"position", *position},
                                {"leaf_index", *position - 1},
                                {"record", eventstore::base64_of(*record)},
                                {"leaf_hash", text_of(eventstore::leaf_of_record(sha, *record))},
                                {"tree", tree_json(proofs.tree(*size))},
                                {"path", path_json(proofs.inclusion({*position}, *size))},
                                {"checkpoint", note_of(proofs, *size)},
                                {"keys", keys_json(api)},
                                {"event", std::move(event)}}
                               .dump());
}

void consistency(RequestContext& context, Api& api) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  const auto head = api.service.log().head().value;
  const auto from = size_of(query, "from", head, {});
  const auto to = query.has("to") ? size_of(query, "to", head, {}) : signed_size(api, from.value_or(0));
  if (from && to && *from > *to) query.fail("from", fmt::format("must be at most 'to' ({}), got {}", *to, *from));
  if (!errors.empty()) return context.answer(errors.problem());
  const auto proofs = api.service.proofs();
  context.answer_json(200, json{{"from", tree_json(proofs.tree(*from))},
                                {"to", tree_json(proofs.tree(*to))},
                                {"path", path_json(proofs.consistency(*from, *to))},
                                {"checkpoint", note_of(proofs, *to)},
                                {"keys", keys_json(api)}}
                               .dump());
}

// ---- verification ----------------------------------------------------------------------------------------------------

json run_json(const actors::LogVerifier::Run& run) {
  const auto& found = run.result;
  json findings = json::array();
  for (const auto& finding : found.findings) {
    findings.push_back({{"first", finding.first.value == 0 ? json(nullptr) : json(finding.first.value)},
                        {"last", finding.last.value == 0 ? json(nullptr) : json(finding.last.value)},
                        {"what", finding.what}});
  }
  return {{"started", format_time(run.started)},
          {"took_ms", run.took.count()},
          {"sound", run.is_sound()},
          {"error", run.error.empty() ? json(nullptr) : json(run.error)},
          {"events", found.events},
          {"index_rows", found.index_rows},
          {"head", found.head.value},
          {"root", text_of(found.root)},
          {"checkpoints", found.checkpoints},
          {"signed_events", found.signed_events},
          {"findings", std::move(findings)},
          {"further_findings", found.further_findings}};
}

void answer_verification(RequestContext& context, const Api& api, int status) {
  const auto state = api.service.verifier().state();
  json running = nullptr;
  if (state.running_since) {
    running = {{"since", format_time(*state.running_since)}, {"events", state.events}, {"of", state.of}};
  }
  context.answer_json(status, json{{"running", std::move(running)}, {"last", state.last ? run_json(*state.last) : json(nullptr)}}.dump());
}

}  // namespace

void add_proof_routes(Router::Group& admin, Api& api) {
  admin.add("GET", "/audit/checkpoint", [&api](RequestContext& c) { checkpoint(c, api); });
  admin.add("GET", "/audit/checkpoints", [&api](RequestContext& c) { checkpoints(c, api); });
  admin.add("GET", "/audit/keys", [&api](RequestContext& c) { keys(c, api); });
  admin.add("POST", "/audit/keys", [&api](RequestContext& c) { rotate_key(c, api); });
  admin.add("GET", "/audit/events/{position}/proof", recorded(api, [&api](RequestContext& c) { inclusion(c, api); }));
  admin.add("GET", "/audit/consistency", [&api](RequestContext& c) { consistency(c, api); });
  admin.add("GET", "/audit/verification", [&api](RequestContext& c) { answer_verification(c, api, 200); });
  admin.add("POST", "/audit/verification", [&api](RequestContext& c) {
    api.service.verifier().start();  // or one is running: the answer is the same
    answer_verification(c, api, 202);
  });
}

}  // namespace ota::http
