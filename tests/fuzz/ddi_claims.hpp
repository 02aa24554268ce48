// What holds for every body that a device sends over DDI, whatever form it came in: shared by
// ddi_json and ddi_cbor.
//
// Each body is read as each of the messages there are. Claims: either every error names its place
// and the answer can be written, or what was read keeps its bounds; and then all of
// device_claims.hpp.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace ota::fuzz {

void check_device_body(const nlohmann::json& body);

}  // namespace ota::fuzz
