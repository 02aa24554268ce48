#include "http/ddi_downloads.hpp"

#include <spdlog/spdlog.h>

#include "http/artifact_response.hpp"
#include "http/commands.hpp"
#include "http/ddi_exchange.hpp"
#include "http/text.hpp"

namespace ota::http::ddi {
namespace {

// The device is to have these bytes, and cannot: what it says of it later is no fault of its own.
void note_fault(Api& api, const std::string& device, domain::ActionId action, domain::DownloadFault fault,
                std::string what) {
  if (action.value != 0) api.download_faults.note(device, action, {fault, std::move(what)});
}

// The first request that is answered with the bytes, or with where they are, is recorded: a success without one is
// suspicious. Nobody waits for that: the report of what becomes of it comes later, and stands behind it in the log.
void note_request(RequestContext& context, Api& api, domain::ActionId action) {
  const int status = context.response().status;
  if (context.is_head() || (status != 200 && status != 206 && status != 302)) return;
  const auto ref = action.value ? api.service.views().action(device_id(context), action) : std::nullopt;
  const auto update = ref ? api.service.views().update(ref->update) : std::nullopt;
  if (!update || update->artifact_requested || update->attempt != ref->attempt || !update->in_progress()) return;
  api.service.tell_update(update->id, domain::NoteArtifactRequest{ref->attempt}, device_meta(context));
}

// To a server that has the bytes as well and is made for handing them out. Its devices' downloads are none of ours then.
bool redirect(RequestContext& context, const Api& api, const domain::Firmware& firmware) {
  if (api.options.redirect_url.empty() || !profile_of(context, api).follows_redirects) return false;
  auto url = api.options.redirect_url;
  const auto fill = [&url](std::string_view name, const std::string& value) {
    if (const auto at = url.find(name); at != std::string::npos) url.replace(at, name.size(), value);
  };
  fill("{sha256}", domain::to_hex(domain::view_of(firmware.record.sha256)));
  auto file = path_segment(firmware.record.file_name);
  const auto& key = api.options.store_key;
  if (!key.id.empty()) {
    // The store's signatures are of paths in which this one is encoded, too.
    for (auto at = file.find(':'); at != std::string::npos; at = file.find(':', at)) file.replace(at, 1, "%3A");
  }
  fill("{file}", file);
  if (!key.id.empty()) url = presigned(context.is_head() ? "HEAD" : "GET", url, key, api.service.now());
  context.set_header("Location", url);
  context.answer_empty(302);
  return true;
}

void send_artifact(RequestContext& context, Api& api, const std::string& device, domain::ActionId action) {
  using Fault = domain::DownloadFault;
  constexpr std::string_view kMd5 = ".MD5SUM";
  const auto& asked = context.parameter("file_name");
  const auto firmware = module_of(context, api);
  if (!firmware) return context.answer_empty(404);
  const auto& record = firmware->record;
  if (asked == record.file_name + std::string(kMd5)) {
    context.set_header("Content-Disposition", content_disposition(asked));
    return context.answer_text(200, domain::to_hex(domain::view_of(record.md5)) + "  " + record.file_name, "text/plain");
  }
  if (asked != record.file_name) return context.answer_empty(404);
  if (redirect(context, api, *firmware)) return note_request(context, api, action);
  auto artifact = api.artifacts.open(record.sha256);
  // Damaged bytes are not offered as whole ones: a client would install them, or try for ever.
  if (!artifact || artifact->size() != record.facts.file_size) {
    spdlog::error("the stored bytes of firmware {} are damaged", domain::to_text(record.id));
    note_fault(api, device, action, Fault::kOurs, "the stored bytes are damaged");
    return context.answer_empty(404);
  }
  ArtifactAnswer answer;
  answer.etag = domain::to_hex(domain::view_of(firmware->sha1));
  answer.file_name = record.file_name;
  answer.last_modified = firmware->created_at;
  answer.errors_have_bodies = false;
  answer.on_end = [&api, device, action](const Delivery& delivery) {
    if (delivery.last_byte_sent) return api.download_faults.forget(device, action);
    if (delivery.complete) return;  // a part of it
    note_fault(api, device, action, Fault::kBrokenOff, "a download broke off");
  };
  answer_artifact(context, std::move(artifact), std::move(answer));
  note_request(context, api, action);
}

}  // namespace

std::optional<domain::Firmware> module_of(RequestContext& context, Api& api) {
  const auto number = number_of(context.parameter("module_id"));
  const auto record = api.service.views().polls().find(context.parameter("device_id"));
  if (!number || !record || record->deleted) return std::nullopt;
  const auto id = api.service.views().firmware_by_number(*number);
  if (!id) return std::nullopt;
  const auto is_about = [&](domain::ActionId action) {
    const auto ref = action.value ? api.service.views().action(device_id(context), action) : std::nullopt;
    const auto update = ref ? api.service.views().update(ref->update) : std::nullopt;
    return update && update->plan.firmware == *id && (!update->cancel || action != record->active);
  };
  if (!is_about(record->active) && !is_about(record->installed)) return std::nullopt;
  const auto row = api.service.views().firmware(*id);
  if (!row || !row->firmware.content_here) return std::nullopt;
  return row->firmware;
}

void artifact_list(RequestContext& context, Api& api) {
  if (!number_of(context.parameter("module_id"))) {
    return context.answer(Problem::bad_request("\"" + shown(context.parameter("module_id")) + "\" is not a module id"));
  }
  const auto firmware = ddi::module_of(context, api);
  if (!firmware) return context.answer(Problem::not_found("Module not found: " + context.parameter("module_id")));
  answer_message(context, ddi::artifacts(links_of(context, api), *firmware));
}

void note_refused(const RequestContext& context, Api& api) {
  constexpr std::string_view kModules = "/softwaremodules/";
  const auto path = context.path();
  const auto end = path.find(kModules);
  if (end == std::string_view::npos || end == 0) return;
  const auto begin = path.rfind('/', end - 1);
  const auto device = percent_decode(path.substr(begin + 1, end - begin - 1), PlusSign::kItself);
  const auto record = device ? api.service.views().polls().find(*device) : std::nullopt;
  if (record) {
    note_fault(api, *device, record->active, domain::DownloadFault::kOurs, "the service had too much to do for a download");
  }
}

void download(RequestContext& context, Api& api) {
  const auto device = device_id(context).value;
  const auto record = api.service.views().polls().find(device);
  const auto action = record ? record->active : domain::ActionId{};
  try {
    send_artifact(context, api, device, action);
  } catch (const actors::ArtifactError& fault) {
    spdlog::error("a download failed: {}", fault.what());
    context.answer_empty(503);
  } catch (const std::exception&) {  // the router answers 500
    note_fault(api, device, action, domain::DownloadFault::kOurs, "the service failed at a download");
    throw;
  }
  constexpr int kTooManyRequests = 429;
  const int status = context.response().status;
  if (status >= 500 || status == kTooManyRequests) {
    note_fault(api, device, action, domain::DownloadFault::kOurs,
               fmt::format("the service answered {} to a download", status));
  }
}

}  // namespace ota::http::ddi
