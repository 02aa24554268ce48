// What holds for every body that a device sends, whatever form it came in: shared by ddi_json and
// ddi_cbor.
//
// Each body is read as feedback, as consent and as configData. Claims: either every error names its
// place and the answer can be written, or what was read keeps its bounds; and whatever an update or
// a device then decides is written to the log as bytes that read back as the same events. (A text
// that is not UTF-8 would be an event that nobody can ever read.)
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace ota::fuzz {

void check_device_body(const nlohmann::json& body);

}  // namespace ota::fuzz
