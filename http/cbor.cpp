#include "http/cbor.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "http/json_builder.hpp"
#include "http/limits.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

// Walks over the items without building anything, as RFC 8949 Appendix C does, but with a stack of its own: the parser
// behind it calls itself for each level.
class Walk {
 public:
  Walk(std::string_view bytes, std::size_t begin) : bytes_(bytes), at_(begin) {}

  // What is wrong; empty: it is one well-formed item, and nothing behind it.
  std::string fault() {
    open_.push_back({1, false});
    while (!open_.empty()) {
      Level& level = open_.back();
      if (level.left == 0) {
        open_.pop_back();
        continue;
      }
      if (at_ >= bytes_.size()) return "it ends too early";
      if (!step(level)) return fault_;
    }
    return at_ == bytes_.size() ? std::string() : fmt::format("byte {} follows behind its end", at_ + 1);
  }

 private:
  static constexpr std::uint64_t kUntilBreak = UINT64_MAX;
  struct Level {
    std::uint64_t left = 0;   // items; kUntilBreak: until a break
    bool of_string = false;   // its items are pieces of a string
  };

  bool say(std::string what) {
    fault_ = std::move(what);
    return false;
  }

  bool step(Level& level) {
    const auto initial = static_cast<std::uint8_t>(bytes_[at_]);
    const unsigned major = initial >> 5;
    const unsigned info = initial & 0x1f;
    const std::size_t place = ++at_;  // counted from 1
    if (initial == 0xff) {
      if (level.left != kUntilBreak) return say(fmt::format("byte {} ends what was not begun", place));
      open_.pop_back();
      return true;
    }
    if (level.left != kUntilBreak) --level.left;
    if (level.of_string && (major != string_major_ || info == 31)) {
      return say(fmt::format("byte {} is no piece of a string", place));
    }
    std::uint64_t value = info;
    if (info >= 24 && info <= 27) {
      const std::size_t size = std::size_t{1} << (info - 24);
      if (bytes_.size() - at_ < size) return say("it ends too early");
      value = 0;
      for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes_[at_++]);
    } else if (info >= 28 && info < 31) {
      return say(fmt::format("byte {} has no meaning", place));
    }
    return enter(major, info == 31, value, place);
  }

  bool enter(unsigned major, bool until_break, std::uint64_t value, std::size_t place) {
    switch (major) {
      case 1:
        // The library would make another number of it: the lowest one becomes 0.
        if (value > INT64_MAX) return say(fmt::format("byte {} is a number below -2^63", place));
        return until_break ? say(fmt::format("byte {} has no meaning", place)) : true;
      case 2:
      case 3:
        if (until_break) {
          string_major_ = major;
          return open(kUntilBreak, true);
        }
        if (bytes_.size() - at_ < value) return say("it ends too early");
        at_ += value;
        return true;
      case 4:
      case 5:
        if (until_break) return open(kUntilBreak, false);
        if (value > bytes_.size()) return say("it ends too early");  // and twice that is a number still
        return open(major == 4 ? value : 2 * value, false);
      case 6: return say(fmt::format("byte {} is a tag, for which JSON has no word", place));
      case 7: return until_break ? say(fmt::format("byte {} has no meaning", place)) : true;
      default: return until_break ? say(fmt::format("byte {} has no meaning", place)) : true;
    }
  }

  bool open(std::uint64_t items, bool of_string) {
    // The outermost level is not the sender's.
    if (open_.size() > limits::kJsonDepth) return say(fmt::format("it is nested deeper than {} levels", limits::kJsonDepth));
    open_.push_back({items, of_string});
    return true;
  }

  std::string_view bytes_;
  std::size_t at_;
  unsigned string_major_ = 0;
  std::vector<Level> open_;
  std::string fault_;
};

// NaN and the infinities are numbers in CBOR; as JSON they would be written as null.
bool has_no_number(const json& value) {
  std::vector<const json*> left{&value};
  while (!left.empty()) {
    const json* const one = left.back();
    left.pop_back();
    if (one->is_number_float() && !std::isfinite(one->get<double>())) return true;
    if (!one->is_structured()) continue;
    for (const auto& item : *one) left.push_back(&item);
  }
  return false;
}

}  // namespace

std::variant<json, Problem> parse_cbor(std::string_view bytes) {
  const auto refuse = [](const std::string& why) { return Problem::bad_request("The request body " + why); };
  // A tag that says no more than that this is CBOR (RFC 8949, 3.4.6).
  constexpr std::string_view kSelfDescribed = "\xd9\xd9\xf7";
  const std::size_t begin = bytes.starts_with(kSelfDescribed) ? kSelfDescribed.size() : 0;
  const auto item = bytes.substr(begin);
  if (const auto fault = Walk(bytes, begin).fault(); !fault.empty()) return refuse("is not valid CBOR: " + fault);
  JsonBuilder builder("CBOR", [begin](std::size_t offset) { return fmt::format("byte {}", begin + offset + 1); });
  if (!json::sax_parse(item.begin(), item.end(), &builder, json::input_format_t::cbor)) return refuse(builder.error());
  auto value = builder.take();
  if (has_no_number(value)) return refuse("holds a number that is none");
  return value;
}

std::string to_cbor_text(const json& value) {
  std::string bytes;
  json::to_cbor(value, bytes);
  return bytes;
}

}  // namespace ota::http
