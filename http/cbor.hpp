// CBOR (RFC 8949) as another form of JSON: the same values and limits, for clients that count bytes. Pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json.hpp>

#include "http/problem.hpp"

namespace ota::http {

// The value, or a 400 that names the byte and what was found there. What JSON has no word for is refused: byte strings, tags,
// numbers that are none, names that are no texts, texts that are not UTF-8; and what is nested deeper than
// limits::kJsonDepth.
std::variant<nlohmann::json, Problem> parse_cbor(std::string_view bytes);
std::string to_cbor_text(const nlohmann::json& value);

}  // namespace ota::http
