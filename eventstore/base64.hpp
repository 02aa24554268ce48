// Base64 (RFC 4648 section 4). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ota::eventstore {

std::string base64_of(std::string_view bytes);
// Empty if there is anything else in the text than its digits and the padding behind them.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace ota::eventstore
