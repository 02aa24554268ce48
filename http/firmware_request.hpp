// The metadata of a firmware: of an upload, checked against the bytes that came with it, or of one that is held elsewhere
// (spec/api.md section 3, BR-OTA-001 to 009).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/ports/artifact_store.hpp"
#include "domain/events.hpp"
#include "http/field_errors.hpp"
#include "http/problem.hpp"

namespace ota::http {

// The record to register, or what is wrong: 400 for the format, 422 for fields and checksums.
std::variant<domain::FirmwareRegistered, Problem> read_firmware(const std::string& metadata, const std::string& file_name,
                                                                const actors::ArtifactDigests& digests,
                                                                const std::vector<std::string>& extra_formats,
                                                                FieldErrors& errors);

// The record of a firmware whose bytes are held at `file_url` (decision 29): size and SHA-256 tell which bytes those are.
// What is wrong is 400 for the format and the size, 422 for fields.
std::variant<domain::FirmwareRegistered, Problem> read_firmware_by_url(nlohmann::json& fields,
                                                                       const std::vector<std::string>& extra_formats,
                                                                       FieldErrors& errors);

// SHA-256(name ":" version ":" device_model), its first half (BR-OTA-004).
domain::FirmwareId firmware_id_of(std::string_view name, std::string_view version, std::string_view device_model);

}  // namespace ota::http
