// Small pure functions over text that the front door needs in several places.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ota::http {

// Whether a range of texts holds this one.
bool is_among(const auto& texts, std::string_view text) { return std::ranges::find(texts, text) != std::ranges::end(texts); }

// Cuts spaces and tabs off both ends.
std::string_view trim(std::string_view text);

// Compares without regard to the case of ASCII letters.
bool equals_ignoring_case(std::string_view a, std::string_view b);

// How many characters (code points) a text has; empty if it is not UTF-8.
std::optional<std::size_t> count_characters(std::string_view text);

// Whether any character is a control character: U+0000 to U+001F, U+007F to U+009F.
bool has_control_character(std::string_view text);

// Whether no byte is an ASCII control character but a tab: what a header's value may hold.
bool is_field_text(std::string_view text);

// Whether every byte is a printable ASCII character (32-126).
bool is_printable_ascii(std::string_view text);

enum class PlusSign { kItself, kSpace };
// Undoes percent-encoding once; empty if a '%' is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text, PlusSign plus);

// Percent-encodes every byte but ASCII letters, digits and those in `plain`, in capital hex digits.
std::string percent_encode(std::string_view text, std::string_view plain);

// A value as it may stand in a message: cut after limits::kShownValueChars characters.
std::string shown(std::string_view value);

// Calls `visit(item)` for each item, trimmed and not empty, of a comma-separated list.
template <typename Visit>
void for_each_item(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto item = trim(list.substr(0, comma));
    if (!item.empty()) visit(item);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
}

}  // namespace ota::http
