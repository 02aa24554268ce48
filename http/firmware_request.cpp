#include "http/firmware_request.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "domain/limits.hpp"
#include "domain/version.hpp"
#include "eventstore/base64.hpp"
#include "http/commands.hpp"
#include "http/json_reader.hpp"
#include "http/json_text.hpp"
#include "http/limits.hpp"
#include "http/text.hpp"
#include "http/web_url.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

constexpr std::size_t kTagsMax = 100;
constexpr std::size_t kMetadataBytesMax = 64 * 1024;
constexpr std::size_t kSignatureBytes = 64;      // Ed25519
constexpr std::size_t kUrlChars = 2'048;         // what browsers and proxies agree on

bool has_format(std::string_view file_name, std::string_view extension) {
  if (file_name.size() <= extension.size() + 1) return false;
  const auto tail = file_name.substr(file_name.size() - extension.size());
  return equals_ignoring_case(tail, extension) && file_name[file_name.size() - extension.size() - 1] == '.';
}

// By extension, not by content (BR-OTA-002).
bool is_supported(std::string_view file_name, const std::vector<std::string>& extra) {
  for (const std::string_view format : {"bin", "hex", "elf", "tar.gz", "zip"}) {
    if (has_format(file_name, format)) return true;
  }
  return std::any_of(extra.begin(), extra.end(), [&](const auto& format) { return has_format(file_name, format); });
}

// A name that devices can be shown, of a format that is taken.
std::optional<Problem> check_file_name(const std::string& name, const std::vector<std::string>& extra) {
  if (is_supported(name, extra) && name.size() <= limits::kFileNameBytes && count_characters(name) &&
      !has_control_character(name)) {
    return std::nullopt;
  }
  return Problem::bad_request(fmt::format("Unsupported file format: \"{}\"; .bin, .hex, .elf, .tar.gz and .zip are "
                                          "supported",
                                          shown(name)));
}

// The name alone, whatever path a client put before it.
std::string base_name(std::string_view path) {
  const auto slash = path.find_last_of("/\\");
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

// A checksum that was given, in lower case; empty if absent or not one (then there is an error).
std::string checksum(JsonReader& body, std::string_view name, std::size_t digits) {
  const auto text = body.string(name, {digits, digits});
  if (!text) return {};
  if (!domain::from_hex(*text)) {
    body.fail(name, fmt::format("\"{}\" is not {} hexadecimal digits", shown(*text), digits), "string_pattern_mismatch");
    return {};
  }
  return lower(*text);
}

template <std::size_t N>
std::array<std::uint8_t, N> digest_of(const std::string& hex) {
  const auto bytes = domain::from_hex(hex).value_or("");
  std::array<std::uint8_t, N> digest{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), N), reinterpret_cast<char*>(digest.data()));
  return digest;
}

void read_texts(JsonReader& body, domain::FirmwareRegistered& r) {
  r.name = body.required_string("name", {1, 200});
  r.facts.version = body.required_string("version", {1, 50});
  r.facts.device_model = body.required_string("device_model", {1, 100});
  r.manufacturer = body.required_string("manufacturer", {1, 100});
  r.description = body.string_or("description", {0, 1'000}, "");
  r.changelog = body.string_or("changelog", {0, 5'000}, "");
  r.facts.min_hardware_version = body.string_or("min_hardware_version", {0, 50}, "");
  r.facts.max_hardware_version = body.string_or("max_hardware_version", {0, 50}, "");
  if (!r.facts.min_hardware_version.empty() && !r.facts.max_hardware_version.empty() &&
      domain::compare_versions(r.facts.min_hardware_version, r.facts.max_hardware_version) > 0) {
    body.fail("max_hardware_version", fmt::format("{} is below min_hardware_version {}", r.facts.max_hardware_version,
                                                  r.facts.min_hardware_version));
  }
}

void read_extras(JsonReader& body, domain::FirmwareRegistered& r) {
  r.labels = body.strings("tags", kTagsMax, {1, 200}).value_or(std::vector<std::string>{});
  if (const auto* metadata = body.object("metadata")) {
    r.metadata_json = metadata->dump();
    if (r.metadata_json.size() > kMetadataBytesMax) {
      body.fail("metadata", fmt::format("{} of at most {} bytes", r.metadata_json.size(), kMetadataBytesMax), "too_long");
    }
  }
  r.facts.is_beta = body.boolean_or("is_beta", false);
  r.facts.is_security_update = body.boolean_or("is_security_update", false);
  if (const auto text = body.string("signature", {1, 200})) {
    const auto raw = eventstore::from_base64(*text);
    if (!raw || raw->size() != kSignatureBytes) {
      body.fail("signature", "base64 of the 64 bytes of an Ed25519 signature is wanted");
    } else {
      r.signature = *raw;
    }
  }
}

}  // namespace

domain::FirmwareId firmware_id_of(std::string_view name, std::string_view version, std::string_view device_model) {
  const auto hash = hash_of({name, ":", version, ":", device_model});
  domain::FirmwareId id;
  std::copy_n(hash.begin(), id.bytes.size(), id.bytes.begin());
  return id;
}

std::variant<domain::FirmwareRegistered, Problem> read_firmware(const std::string& metadata, const std::string& file_name,
                                                                const actors::ArtifactDigests& digests,
                                                                const std::vector<std::string>& extra_formats,
                                                                FieldErrors& errors) {
  auto parsed = parse_json(metadata);
  if (auto* problem = std::get_if<Problem>(&parsed)) return *problem;
  domain::FirmwareRegistered r;
  r.file_name = base_name(file_name);
  if (auto problem = check_file_name(r.file_name, extra_formats)) return *std::move(problem);
  JsonReader body(std::get<json>(parsed), errors, json::array({"body", "metadata"}));
  read_texts(body, r);
  read_extras(body, r);
  const auto md5 = checksum(body, "checksum_md5", 32);
  const auto sha256 = checksum(body, "checksum_sha256", 64);
  if (const auto size = body.integer("file_size", {1, INT64_MAX}); size && static_cast<std::uint64_t>(*size) != digests.size) {
    body.fail("file_size", fmt::format("{} bytes were announced, {} were received", *size, digests.size));
  }
  if (digests.size == 0) errors.add({"body", "file"}, "the file is empty", "value_error");
  if (!errors.empty()) return errors.problem();
  if (!md5.empty() && md5 != domain::to_hex(domain::view_of(digests.md5))) {
    return Problem::checksum_mismatch(fmt::format("MD5 checksum mismatch: {} was given, the bytes have {}", md5,
                                                  domain::to_hex(domain::view_of(digests.md5))));
  }
  if (!sha256.empty() && sha256 != domain::to_hex(domain::view_of(digests.sha256))) {
    return Problem::checksum_mismatch(fmt::format("SHA256 checksum mismatch: {} was given, the bytes have {}", sha256,
                                                  domain::to_hex(domain::view_of(digests.sha256))));
  }
  r.id = firmware_id_of(r.name, r.facts.version, r.facts.device_model);
  r.facts.file_size = digests.size;
  r.md5 = digests.md5;
  r.sha256 = digests.sha256;
  return r;
}

std::variant<domain::FirmwareRegistered, Problem> read_firmware_by_url(json& fields,
                                                                       const std::vector<std::string>& extra_formats,
                                                                       FieldErrors& errors) {
  domain::FirmwareRegistered r;
  JsonReader body(fields, errors);
  r.file_url = body.required_string("file_url", {1, kUrlChars});
  if (!r.file_url.empty()) {
    auto parsed = parse_web_url(r.file_url);
    if (const auto* wrong = std::get_if<std::string>(&parsed)) {
      body.fail("file_url", *wrong);
    } else {
      r.file_name = base_name(std::get<WebUrl>(parsed).file_name);
      if (auto problem = check_file_name(r.file_name, extra_formats)) return *std::move(problem);
    }
  }
  read_texts(body, r);
  read_extras(body, r);
  r.kept_elsewhere = !body.boolean_or("fetch", true);
  const auto size = body.required_integer("file_size", {1, INT64_MAX});
  if (!body.has("checksum_sha256")) body.fail("checksum_sha256", "field required", "missing");
  r.sha256 = digest_of<32>(checksum(body, "checksum_sha256", 64));
  r.md5 = digest_of<16>(checksum(body, "checksum_md5", 32));
  if (!errors.empty()) return errors.problem();
  r.facts.file_size = static_cast<std::uint64_t>(size);
  if (r.facts.file_size > domain::limits::kFirmwareBytes) {
    return Problem::bad_request(fmt::format("File size exceeds maximum limit: {} of at most {} bytes", size,
                                            domain::limits::kFirmwareBytes));
  }
  r.id = firmware_id_of(r.name, r.facts.version, r.facts.device_model);
  return r;
}

}  // namespace ota::http
