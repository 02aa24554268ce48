// The metadata of an uploaded firmware, checked against the bytes that came with it (spec/api.md section 3,
// BR-OTA-001 to 009).
#pragma once

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

// SHA-256(name ":" version ":" device_model), its first half (BR-OTA-004).
domain::FirmwareId firmware_id_of(std::string_view name, std::string_view version, std::string_view device_model);

}  // namespace ota::http
