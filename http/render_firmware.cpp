// Firmware (spec/api.md section 3), and how far its bytes are.
#include <nlohmann/json.hpp>

#include "eventstore/base64.hpp"
#include "http/render.hpp"
#include "http/render_parts.hpp"

namespace ota::http {
namespace {

using nlohmann::json;
using namespace json_of;

}  // namespace

json Renderer::md5(const domain::FirmwareRegistered& record) {
  return record.md5 == decltype(record.md5){} ? json(nullptr) : json(hex(record.md5));
}

void Renderer::add_content(json& shown, const domain::Firmware& f) const {
  const auto& r = f.record;
  shown["content"] = domain::to_text(domain::content_of(f));
  const bool by_url = !r.file_url.empty();
  shown["source_url"] = by_url ? json(r.file_url) : json(nullptr);
  shown["fetch"] = by_url ? json(!r.kept_elsewhere) : json(nullptr);
  std::uint64_t received = f.content_here ? r.facts.file_size : 0;
  std::string error = f.content_error;
  if (domain::is_to_fetch(f)) {
    const auto state = fetcher_ ? fetcher_->state(r.id) : std::nullopt;
    if (state) received = state->received;
    if (state) error = state->last_error;
    if (!fetcher_) error = "fetching is switched off (firmware.fetch)";
  }
  shown["content_received"] = received;
  shown["content_error"] = text_or_null(error);
}

json Renderer::firmware(const projections::FirmwareRow& row) const {
  const auto& f = row.firmware;
  const auto& r = f.record;
  const std::string id = domain::to_text(r.id);
  const bool elsewhere = !f.content_here && r.kept_elsewhere;
  json shown{{"firmware_id", id},
             {"name", r.name},
             {"version", r.facts.version},
             {"description", text_or_null(r.description)},
             {"device_model", r.facts.device_model},
             {"manufacturer", r.manufacturer},
             {"min_hardware_version", text_or_null(r.facts.min_hardware_version)},
             {"max_hardware_version", text_or_null(r.facts.max_hardware_version)},
             {"file_name", r.file_name},
             {"file_size", r.facts.file_size},
             {"file_url", elsewhere ? r.file_url : base_path_ + "/firmware/" + id + "/content"},
             {"checksum_md5", md5(r)},
             {"checksum_sha256", hex(r.sha256)},
             {"signature", r.signature.empty() ? json(nullptr) : json(eventstore::base64_of(r.signature))},
             {"signature_verified", r.signature.empty() ? json(nullptr) : json(!r.signature_key.empty())},
             {"signature_key", r.signature_key.empty() ? json(nullptr) : json(domain::to_hex(r.signature_key))},
             {"tags", r.labels},
             {"metadata", r.metadata_json.empty() ? json::object() : json::parse(r.metadata_json, nullptr, false)},
             {"is_beta", r.facts.is_beta},
             {"is_security_update", r.facts.is_security_update},
             {"changelog", text_or_null(r.changelog)},
             {"status", domain::to_text(f.status)},
             {"status_reason", text_or_null(f.status_reason)},
             {"download_count", row.download_count},
             {"success_rate", success_rate(row.completed, row.failed)},
             {"created_at", when(f.created_at)},
             {"updated_at", when(f.updated_at)},
             {"created_by", person(f.created_by)}};
  add_content(shown, f);
  return shown;
}

}  // namespace ota::http
