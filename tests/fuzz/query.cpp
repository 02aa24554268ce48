// Feeds: a query string, as it stands behind the '?'.
//
// Claims: percent-decoding undoes percent-encoding and never makes a text longer; a parameter is
// what a plain splitting of the text says; every reader gives a value within its bounds or an error
// at its place, and an answer can be made of the errors; a time that is taken is the same when it
// is written down and read again. The text is also read as what else is encoded: a URL, base64.
#include <array>
#include <string>

#include "domain/words.hpp"
#include "eventstore/base64.hpp"
#include "http/limits.hpp"
#include "http/query_reader.hpp"
#include "http/text.hpp"
#include "http/time_format.hpp"
#include "http/web_url.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace ota::http;
using namespace ota::fuzz;

namespace {

std::string encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789aBcDEf";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out.append("%").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
  }
  return out;
}

void check_decoding(std::string_view text) {
  for (const auto plus : {PlusSign::kItself, PlusSign::kSpace}) {
    claim(percent_decode(encoded(text), plus) == text, "decoding undoes encoding");
    const auto decoded = percent_decode(text, plus);
    if (!decoded) {
      claim(text.find('%') != std::string_view::npos, "only a % can be wrong");
      continue;
    }
    claim(decoded->size() <= text.size(), "decoding makes nothing longer");
    claim(percent_decode(encoded(*decoded), plus) == decoded, "what was decoded can be encoded");
  }
  const auto cut_text = shown(text);
  claim(cut_text.size() <= text.size() + 3 && (cut_text == text || cut_text.ends_with("...")),
        "a text is shown cut");
}

// The first value of a name by a plain reading; empty: absent.
std::string first_value(std::string_view query, std::string_view name) {
  for (std::size_t at = 0; at <= query.size();) {
    const auto end = std::min(query.find('&', at), query.size());
    const auto pair = query.substr(at, end - at);
    const auto equals = std::min(pair.find('='), pair.size());
    const auto key = percent_decode(pair.substr(0, equals), PlusSign::kSpace);
    const auto value =
        percent_decode(pair.substr(std::min(equals + 1, pair.size())), PlusSign::kSpace);
    if (key && value && *key == name && !value->empty()) return *value;
    at = end + 1;
  }
  return {};
}

void check_time(QueryReader& reader) {
  const auto time = reader.time("from");
  if (!time) return;
  const auto again = parse_time(format_time(*time));
  // A day before the year 0 or behind 9999 that an offset led to is shown as the nearest within.
  constexpr auto kFirst = std::chrono::sys_days(std::chrono::year(0) / 1 / 1);
  constexpr auto kLast = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31);
  if (*time < kFirst || *time > kLast) return;
  claim(again.error == TimeError::kNone && again.time == *time, "a time reads as it was written");
}

void check_readers(std::string_view query) {
  FieldErrors errors;
  QueryReader reader(query, errors);
  for (const std::string_view name : {"limit", "offset", "status", "q", "from", "id", ""}) {
    const auto value = first_value(query, name);
    claim(reader.has(name) == !value.empty(), "a parameter is there if it has a value");
    if (const auto text = reader.string(name)) claim(*text == value, "its first value counts");
  }
  const auto page = reader.page();
  claim(page.limit >= 1 && page.limit <= limits::kPageLimit && page.offset >= 0,
        "a page is bounded");
  if (const auto text = reader.string("q", {1, 3}))
    claim(count_characters(*text).value_or(9) <= 3, "a text is bounded");
  if (const auto number = reader.integer("id", {-5, 70'000}))
    claim(*number >= -5 && *number <= 70'000, "a number is bounded");
  for (const auto& text : reader.strings("id", {0, 8}))
    claim(count_characters(text).value_or(9) <= 8, "each text is bounded");
  if (const auto word = reader.word("status", ota::domain::parse_campaign_status, "words")) {
    claim(ota::domain::to_text(*word) == first_value(query, "status"), "a word is what was said");
  }
  (void)reader.boolean("q");
  check_time(reader);
  if (errors.empty()) return;
  for (const auto& [place, message] : errors.listed()) {
    claim(place.starts_with("query") && !message.empty(), "an error has its place and its reason");
  }
  claim(nlohmann::json::accept(errors.problem().to_json("id")), "the answer is JSON");
}

void check_url(std::string_view text) {
  const std::array<std::string, 2> urls{std::string(text),
                                        "https://files.example/" + std::string(text)};
  for (const auto& url : urls) {
    const auto parsed = parse_web_url(url);
    const auto* good = std::get_if<WebUrl>(&parsed);
    if (!good) {
      claim(!std::get<std::string>(parsed).empty(), "a refusal has its reason");
      continue;
    }
    claim(good->text == url && is_printable_ascii(url),
          "a URL is taken as it is, in plain characters");
    const auto authority = url.substr(0, url.find_first_of("/?#", url.find("//") + 2));
    claim(authority.find('@') == std::string::npos, "nobody's password is in it");
  }
}

void check_base64(std::string_view text) {
  using ota::eventstore::base64_of;
  using ota::eventstore::from_base64;
  claim(from_base64(base64_of(text)) == text, "base64 is undone");
  const auto bytes = from_base64(text);
  if (!bytes) return;
  claim(bytes->size() <= text.size() * 3 / 4, "three bytes stand in four digits");
  claim(from_base64(base64_of(*bytes)) == bytes, "what was read can be written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Guarded guarded(text_of(data, size));
  check_decoding(guarded.view());
  check_readers(guarded.view());
  check_url(guarded.view());
  check_base64(guarded.view());
  return 0;
}
