// Feeds: the CBOR that a device sends, of any kind.
//
// Claims: reading ends with a value or a refusal, never in an exception or deeper than the stack;
// what is taken is no deeper than allowed and holds nothing that JSON has no form for, so that
// everything behind the reader may treat both forms alike: it can be written as JSON and as CBOR,
// and means the same when it is read again. Then everything of ddi_claims.hpp.
#include <cmath>

#include "http/cbor.hpp"
#include "http/limits.hpp"
#include "http/text.hpp"
#include "tests/fuzz/ddi_claims.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace ota::http;
using namespace ota::fuzz;
using nlohmann::json;

namespace {

// Empty: it is refused.
std::optional<json> read_cbor(std::string_view bytes) {
  auto parsed = parse_cbor(bytes);
  if (auto* value = std::get_if<json>(&parsed)) return std::move(*value);
  claim(!std::get<Problem>(parsed).message.empty(), "whoever is refused is told why");
  return std::nullopt;
}

void check_like_json(const json& value, std::size_t depth) {
  if (value.is_structured()) claim(depth <= limits::kJsonDepth, "it is not too deep");
  claim(!value.is_binary() && !value.is_discarded(), "JSON has a form for it");
  if (value.is_number_float()) claim(std::isfinite(value.get<double>()), "a number is one");
  const bool is_signed = value.is_number_integer() && !value.is_number_unsigned();
  if (is_signed)
    claim(value.get<std::int64_t>() < 0, "a number that is too low is not another one");
  if (value.is_string())
    claim(count_characters(value.get_ref<const std::string&>()).has_value(), "a text is UTF-8");
  if (!value.is_structured()) return;
  for (const auto& [name, inner] : value.items()) {
    if (value.is_object()) claim(count_characters(name).has_value(), "a name is UTF-8");
    check_like_json(inner, depth + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Guarded guarded(text_of(data, size));
  const auto body = read_cbor(guarded.view());
  if (!body) return 0;
  check_like_json(*body, body->is_structured() ? 1 : 0);
  claim(json::accept(body->dump()), "it can be written as JSON");
  const auto bytes = json::to_cbor(*body);
  const auto again = read_cbor({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  claim(again && again->dump() == body->dump(), "written down it means the same");
  check_device_body(*body);
  return 0;
}
