// Feeds: the JSON that a device sends, of any kind.
//
// Claims: a text is JSON here just where the library by itself says so, but for nesting that is too
// deep; what is refused is told with its line and column in an answer that can be written; what is
// taken is no deeper than allowed and means the same when it is written down and read again. Then
// everything of ddi_claims.hpp.
#include <algorithm>

#include "http/json_text.hpp"
#include "http/limits.hpp"
#include "tests/fuzz/ddi_claims.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace ota::http;
using namespace ota::fuzz;
using nlohmann::json;

namespace {

std::size_t depth_of(const json& value) {
  if (!value.is_structured()) return 0;
  std::size_t deepest = 0;
  for (const auto& inner : value) deepest = std::max(deepest, depth_of(inner));
  return deepest + 1;
}

void check_refusal(std::string_view text, const Problem& problem) {
  claim(problem.status == 400, "what is no JSON is a bad request");
  claim(json::accept(problem.to_json("id")), "the answer is JSON");
  const bool too_deep = problem.message.find("nested deeper") != std::string::npos;
  claim(too_deep || problem.message.find("line ") != std::string::npos,
        "a refusal names its place");
  claim(too_deep || !json::accept(text), "only what is no JSON is refused");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Guarded guarded(text_of(data, size));
  const auto text = guarded.view();
  const auto line = parse_json_line(text);
  auto parsed = parse_json(text);
  if (const auto* problem = std::get_if<Problem>(&parsed)) {
    claim(std::holds_alternative<std::string>(line), "a line is read like a body");
    check_refusal(text, *problem);
    return 0;
  }
  const auto& body = std::get<json>(parsed);
  claim(std::holds_alternative<json>(line) && std::get<json>(line) == body,
        "a line is read like a body");
  claim(json::parse(text, nullptr, /*allow_exceptions=*/false) == body,
        "it means what it means to others");
  claim(depth_of(body) <= limits::kJsonDepth, "it is not too deep");
  const auto again = parse_json(body.dump());
  claim(std::holds_alternative<json>(again) && std::get<json>(again) == body,
        "written down it means the same");
  check_device_body(body);
  return 0;
}
