// How the CBOR of a device becomes a value: the one place that ddi_cbor calls.
//
// The library's reader, behind limits of its own: one pass looks for what JSON has no form for and
// for nesting that is too deep (the library recurses), a second one builds the value.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::fuzz {

class CborLimits final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t value, const string_t&) override { return std::isfinite(value); }
  bool string(string_t& text) override { return http::count_characters(text).has_value(); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return ++depth_ <= http::limits::kJsonDepth; }
  bool start_array(std::size_t) override { return ++depth_ <= http::limits::kJsonDepth; }
  bool key(string_t& name) override { return http::count_characters(name).has_value(); }
  bool end_object() override { return --depth_, true; }
  bool end_array() override { return --depth_, true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  std::size_t depth_ = 0;
};

// Empty: it is refused.
inline std::optional<nlohmann::json> read_cbor(std::string_view bytes) {
  using nlohmann::json;
  CborLimits limits;
  if (!json::sax_parse(bytes.begin(), bytes.end(), &limits, json::input_format_t::cbor))
    return std::nullopt;
  auto value =
      json::from_cbor(bytes.begin(), bytes.end(), /*strict=*/true, /*allow_exceptions=*/false);
  if (value.is_discarded()) return std::nullopt;
  return value;
}

}  // namespace ota::fuzz
