// Firmware: upload, list, show, download, deprecate, recall, restore (spec/api.md section 3); by URL: firmware_register.
#include <algorithm>
#include <atomic>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "domain/limits.hpp"
#include "http/api.hpp"
#include "http/artifact_response.hpp"
#include "http/commands.hpp"
#include "http/field_errors.hpp"
#include "http/firmware_register.hpp"
#include "http/firmware_request.hpp"
#include "http/json_reader.hpp"
#include "http/media_type.hpp"
#include "http/multipart_stream.hpp"
#include "http/text.hpp"
#include "http/query_reader.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

constexpr std::size_t kUploadsAtOnce = 16;                    // design 8: uploads hold a handler each
constexpr std::uint64_t kMultipartOverhead = 1024 * 1024;     // metadata and boundaries around the file

std::optional<projections::FirmwareRow> firmware_row(RequestContext& context, Api& api) {
  const auto& text = context.parameter("firmware_id");
  const auto id = domain::parse_firmware_id(text);
  auto row = id ? api.service.views().firmware(*id) : std::nullopt;
  if (!row) context.answer(Problem::not_found("Firmware not found: " + text));
  return row;
}

// Counts the uploads in progress while it lives.
class UploadPlace {
 public:
  explicit UploadPlace(std::atomic<std::size_t>& count) : count_(count), has_(count.fetch_add(1) < kUploadsAtOnce) {}
  ~UploadPlace() { count_.fetch_sub(1); }
  UploadPlace(const UploadPlace&) = delete;
  UploadPlace& operator=(const UploadPlace&) = delete;
  bool has() const { return has_; }

 private:
  std::atomic<std::size_t>& count_;
  bool has_;
};

Problem too_large(std::uint64_t size) {
  return Problem::bad_request(fmt::format("File size exceeds maximum limit: more than {} of at most {} bytes", size - 1,
                                          domain::limits::kFirmwareBytes));
}

// Reads the body into the store and the form; the problem if it did not arrive whole or is too large.
// Room on the disk for the bytes of one upload, kept from others until they are there.
class UploadRoom {
 public:
  explicit UploadRoom(const actors::Service& service) : service_(service) {}
  ~UploadRoom() { service_.release_disk(kept_ - std::min(kept_, there_)); }
  UploadRoom(const UploadRoom&) = delete;
  UploadRoom& operator=(const UploadRoom&) = delete;

  // A problem if there is no room for so many bytes beside those that have it.
  std::optional<Problem> keep(std::uint64_t bytes) {
    if (const auto full = service_.hold_disk(bytes)) return Problem::unavailable(*full, kFullRetry);
    kept_ += bytes;
    return std::nullopt;
  }
  // So many are written. Whoever did not say how many there will be gets room by and by.
  std::optional<Problem> has(std::uint64_t bytes) {
    if (bytes > kept_) {
      if (auto full = keep(std::max(kStep, bytes - kept_))) return full;
    }
    service_.release_disk(bytes - there_);
    there_ = bytes;
    return std::nullopt;
  }

 private:
  static constexpr std::uint64_t kStep = 16 * 1024 * 1024;
  static constexpr int kFullRetry = 30;   // seconds

  const actors::Service& service_;
  std::uint64_t kept_ = 0;
  std::uint64_t there_ = 0;
};

std::optional<Problem> receive(RequestContext& context, MultipartStream& form, const std::uint64_t& received, UploadRoom& room) {
  std::string piece(limits::kBodyPieceBytes, '\0');
  for (;;) {
    const auto read = context.body_stream().read(piece.data(), piece.size());
    if (read.outcome == BodyOutcome::kEnd) break;
    if (read.outcome != BodyOutcome::kBytes) return body_problem(read.outcome);
    if (!form.feed({piece.data(), read.count})) return form.problem();
    if (received > domain::limits::kFirmwareBytes) return too_large(received);
    if (auto full = room.has(received)) return full;
  }
  if (!form.finish()) return form.problem();
  if (!form.has_file()) return Problem::invalid_field({"body", "file"}, "the part \"file\" is required", "missing");
  if (!form.text("metadata")) return Problem::invalid_field({"body", "metadata"}, "the part \"metadata\" is required", "missing");
  return std::nullopt;
}

// Takes bytes away that no record refers to; if that fails, the sweep does it another day.
void remove_unneeded(Api& api, const ArtifactHolds::Sha256& sha256) {
  const auto& views = api.service.views();
  if (!views.broken().empty() || views.refers_to(sha256)) return;
  try {
    api.artifacts.sweep(0, [&](const auto& other) { return other != sha256; });
  } catch (const actors::ArtifactError& fault) {
    spdlog::warn("the bytes of a refused upload stay: {}", fault.what());
  }
}

// Stores the bytes, then registers the record, so that what a record names is there (BR-CON-001).
// Bytes whose record is refused go, unless it is open what became of it.
template <class StoreBytes>
Registered store_and_register(Api& api, domain::RegisterFirmware command, actors::Meta& meta, StoreBytes store_bytes) {
  const auto sha256 = command.record.sha256;
  api.holds.hold(sha256);
  try {
    store_bytes();
  } catch (...) {
    api.holds.release(sha256);
    throw;
  }
  auto done = register_firmware(api, std::move(command), meta);
  const bool open = !done.answer && done.answer.error().code == domain::ErrorCode::kUnavailable;
  if (!open) api.holds.release(sha256, [&] { remove_unneeded(api, sha256); });
  return done;
}

void upload(RequestContext& context, Api& api, const std::string& boundary, std::atomic<std::size_t>& uploads) {
  const UploadPlace place(uploads);
  if (!place.has()) {
    return context.answer(Problem::unavailable(fmt::format("{} uploads are in progress; try again", kUploadsAtOnce), 5));
  }
  if (const auto size = context.body_stream().declared_size();
      size && *size > domain::limits::kFirmwareBytes + kMultipartOverhead) {
    return context.answer(Problem::too_large(fmt::format("File size exceeds maximum limit: {} of at most {} bytes",
                                                         *size, domain::limits::kFirmwareBytes)));
  }
  UploadRoom room(api.service);
  if (const auto full = room.keep(context.body_stream().declared_size().value_or(0))) return context.answer(*full);
  auto found = meta_of(context, api.service, 201);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);

  auto store = api.artifacts.begin_upload();
  std::uint64_t received = 0;
  MultipartStream form(boundary, "file", [&](std::string_view bytes) {
    received += bytes.size();
    if (received <= domain::limits::kFirmwareBytes) store->write(bytes);
  });
  if (const auto problem = receive(context, form, received, room)) return context.answer(*problem);

  const auto& digests = store->finish();
  FieldErrors errors;
  auto checked = read_firmware(*form.text("metadata"), form.file().file_name, digests, api.options.extra_formats, errors);
  if (const auto* problem = std::get_if<Problem>(&checked)) return context.answer(*problem);
  auto& record = std::get<domain::FirmwareRegistered>(checked);
  if (const auto problem = api.options.signature_keys.check(record)) return context.answer(*problem);
  const std::string asked = *form.text("metadata") + domain::to_hex(domain::view_of(digests.sha256));
  const auto before = look_back(context, api.service, asked, meta);
  if (before.answered) return;
  if (before.record) return answer_registered_before(context, api, *before.record);
  const auto done = store_and_register(api, {std::move(record), digests.sha1}, meta, [&] { store->commit(); });
  answer_registered(context, api, done, meta);
}

void create(RequestContext& context, Api& api, std::atomic<std::size_t>& uploads) {
  const auto type = context.header("Content-Type").value_or("");
  if (is_json(type)) return register_by_url(context, api);
  const auto boundary = multipart_boundary(type);
  if (!boundary) {
    return context.answer(Problem::bad_request(fmt::format(
        "a firmware is uploaded as multipart/form-data with a boundary, or registered by URL as application/json, not as \"{}\"",
        shown(type))));
  }
  try {
    upload(context, api, std::string(*boundary), uploads);
  } catch (const actors::ArtifactError& fault) {
    context.answer(Problem::unavailable(fault.what(), 30));
  }
}

void list_firmware(RequestContext& context, Api& api) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  projections::FirmwareFilter filter;
  filter.device_model = query.string("device_model", {1, 100});
  filter.manufacturer = query.string("manufacturer", {1, 100});
  filter.version = query.string("version", {1, 50});
  filter.label = query.string("tag", {1, 200});
  filter.status = query.word("status", domain::parse_firmware_status, "available, deprecated, recalled");
  filter.content = query.word("content", domain::parse_content, "here, pending, failed");
  filter.is_beta = query.boolean("is_beta");
  filter.is_security_update = query.boolean("is_security_update");
  const auto page = query.page();
  const auto cursor = query.string("cursor", {1, 500}).value_or("");
  if (!errors.empty()) return context.answer(errors.problem());
  const auto rows = api.service.views().firmware_list(
      filter, {static_cast<std::size_t>(page.limit), static_cast<std::size_t>(page.offset), cursor});
  if (rows.bad_cursor) {
    return context.answer(Problem::invalid_field({"query", "cursor"}, "the cursor is none of ours", "value_error"));
  }
  json items = json::array();
  for (const auto& row : rows.rows) items.push_back(api.render.firmware(row));
  json shown = json::object();
  const auto show = [&](const char* name, const auto& value) {
    if (value) shown[name] = *value;
  };
  show("device_model", filter.device_model);
  show("manufacturer", filter.manufacturer);
  show("version", filter.version);
  show("tag", filter.label);
  show("is_beta", filter.is_beta);
  show("is_security_update", filter.is_security_update);
  if (filter.status) shown["status"] = domain::to_text(*filter.status);
  if (filter.content) shown["content"] = domain::to_text(*filter.content);
  answer_list(context, {"firmware", std::move(items), page.limit, page.offset, rows.next_cursor, std::move(shown)});
}

void content(RequestContext& context, Api& api) {
  const auto row = firmware_row(context, api);
  if (!row) return;
  const auto& f = row->firmware;
  if (answer_not_here(context, api, f)) return;
  auto artifact = api.artifacts.open(f.record.sha256);
  if (!artifact) return context.answer(Problem::not_found("Firmware has no content here: " + domain::to_text(f.record.id)));
  if (artifact->size() != f.record.facts.file_size) {
    spdlog::error("the stored bytes of firmware {} are damaged: {} of {}", domain::to_text(f.record.id), artifact->size(),
                  f.record.facts.file_size);
    return context.answer(Problem::not_found(fmt::format("The stored bytes of firmware {} are damaged: {} of {} are there",
                                                         domain::to_text(f.record.id), artifact->size(),
                                                         f.record.facts.file_size)));
  }
  ArtifactAnswer answer;
  answer.etag = domain::to_hex(domain::view_of(f.record.sha256));
  answer.file_name = f.record.file_name;
  answer.last_modified = f.created_at;
  // Counted when the last byte has left (decision 15); the response is over by then, so it is a command of its own.
  answer.on_end = [&api, id = f.record.id](const Delivery& delivery) {
    if (delivery.last_byte_sent) api.service.count_download(id);
  };
  answer_artifact(context, std::move(artifact), std::move(answer));
}

// A recalled firmware stays on the devices that run it: how many, and where they are listed (decision 2).
void answer_changed(RequestContext& context, Api& api, domain::FirmwareId id, bool recalled) {
  const auto row = api.service.views().firmware(id);
  if (!row || !recalled) return answer_firmware(context, api, id, 200);
  auto body = api.render.firmware(*row);
  const auto& facts = row->firmware.record.facts;
  body["devices_running"] = api.service.views().devices_running(facts.device_model, facts.version);
  body["devices"] = "/api/v1/ota/firmware/" + domain::to_text(id) + "/devices";
  answer_resource(context, 200, body, row->firmware.revision);
}

template <class Command>
void change(RequestContext& context, Api& api) {
  constexpr bool kRecalls = std::is_same_v<Command, domain::RecallFirmware>;
  const auto row = firmware_row(context, api);
  if (!row) return;
  auto found = meta_of(context, api.service, 200);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);
  const auto id = row->firmware.record.id;
  const auto before = look_back(context, api.service, context.body(), meta);
  if (before.answered) return;
  if (before.record) return answer_changed(context, api, id, kRecalls);
  auto body = json_body(context, false);
  if (!body) return;
  FieldErrors errors;
  JsonReader reader(*body, errors);
  Command command{reader.string_or("reason", {0, 1'000}, "")};
  if (!errors.empty()) return context.answer(errors.problem());
  const auto answer = api.service.firmware(id, std::move(command), meta);
  if (!answer) return context.answer(problem_of(answer.error()));
  answer_changed(context, api, id, kRecalls);
}

// The devices of its model that run its version.
void devices(RequestContext& context, Api& api) {
  const auto row = firmware_row(context, api);
  if (!row) return;
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  const auto page = query.page();
  const auto cursor = query.string("cursor", {1, 1'000}).value_or("");
  if (!errors.empty()) return context.answer(errors.problem());
  const auto& facts = row->firmware.record.facts;
  projections::DeviceFilter filter;
  filter.model = facts.device_model;
  filter.firmware_version = facts.version;
  const auto found = api.service.views().device_list(
      filter, {static_cast<std::size_t>(page.limit), static_cast<std::size_t>(page.offset), cursor});
  if (found.bad_cursor) {
    return context.answer(Problem::invalid_field({"query", "cursor"}, "the cursor is none of ours", "value_error"));
  }
  json items = json::array();
  for (const auto& device : found.rows) items.push_back(api.render.device(device));
  answer_list(context, {"devices", std::move(items), page.limit, page.offset, found.next_cursor,
                        {{"device_model", facts.device_model}, {"firmware_version", facts.version}}});
}

}  // namespace

void add_firmware_routes(Router::Group& admin, Api& api) {
  RouteOptions streamed = admin.defaults();
  streamed.streams_body = true;
  streamed.body_bytes_max = domain::limits::kFirmwareBytes + kMultipartOverhead;
  const auto uploads = std::make_shared<std::atomic<std::size_t>>(0);
  admin.add("POST", "/firmware", [&api, uploads](RequestContext& c) { create(c, api, *uploads); }, streamed);
  admin.add("GET", "/firmware", [&api](RequestContext& c) { list_firmware(c, api); });
  admin.add("GET", "/firmware/{firmware_id}", [&api](RequestContext& c) {
    if (const auto row = firmware_row(c, api)) {
      answer_resource(c, 200, api.render.firmware(*row), row->firmware.revision);
    }
  });
  admin.add("GET", "/firmware/{firmware_id}/devices", [&api](RequestContext& c) { devices(c, api); });
  admin.add("GET", "/firmware/{firmware_id}/content", [&api](RequestContext& c) { content(c, api); });
  admin.add("GET", "/firmware/{firmware_id}/download", [&api](RequestContext& c) {
    const auto row = firmware_row(c, api);
    if (!row) return;
    const auto& r = row->firmware.record;
    const auto id = domain::to_text(r.id);
    const bool elsewhere = !row->firmware.content_here && r.kept_elsewhere;
    if (!elsewhere && answer_not_here(c, api, row->firmware)) return;
    c.answer_json(200,
                  json{{"firmware_id", id},
                       {"download_url", elsewhere ? r.file_url : c.origin() + "/api/v1/ota/firmware/" + id + "/content"},
                       {"checksum_md5", api.render.md5(r)},
                       {"checksum_sha256", domain::to_hex(domain::view_of(r.sha256))},
                       {"file_size", r.facts.file_size},
                       {"expires_at", nullptr},
                       {"expires_in", nullptr}}
                      .dump());
  });
  admin.add("POST", "/firmware/{firmware_id}/deprecate",
            [&api](RequestContext& c) { change<domain::DeprecateFirmware>(c, api); });
  admin.add("POST", "/firmware/{firmware_id}/recall",
            [&api](RequestContext& c) { change<domain::RecallFirmware>(c, api); });
  admin.add("POST", "/firmware/{firmware_id}/restore",
            [&api](RequestContext& c) { change<domain::RestoreFirmware>(c, api); });
  admin.add("DELETE", "/firmware/{firmware_id}",
            [&api](RequestContext& c) { change<domain::DeprecateFirmware>(c, api); });
}

}  // namespace ota::http
