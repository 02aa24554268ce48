#include "eventstore/backup_label.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cctype>
#include <vector>

#include "eventstore/crc32c.hpp"

namespace ota::eventstore {
namespace {

constexpr std::string_view kSum = "crc32c:";
constexpr std::size_t kHashChars = 44;  // 32 bytes in base64

std::string with_sum(const std::string& words) { return fmt::format("{} {}{:08x}", words, kSum, crc32c(words)); }

std::vector<std::string_view> split_label(std::string_view text) {
  std::vector<std::string_view> words;
  for (auto end = text.find(' '); end != text.npos; end = text.find(' ')) {
    words.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  words.push_back(text);
  return words;
}

// Without the sum, if there is one that is right; empty: it is wrong.
std::vector<std::string_view> summed_words(std::string_view text) {
  auto words = split_label(text);
  if (!words.back().starts_with(kSum)) return words;
  const auto before = text.substr(0, text.size() - std::min(text.size(), words.back().size() + 1));
  if (words.back() != fmt::format("{}{:08x}", kSum, crc32c(before))) return {};
  words.pop_back();
  return words;
}

template <class Number>
bool is_number(std::string_view word, Number& number) {
  const auto* end = word.data() + word.size();
  const auto parsed = std::from_chars(word.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

bool is_hash(std::string_view word) {
  const auto is_base64 = [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '/' || c == '='; };
  return word == kNoHash || (word.size() == kHashChars && std::all_of(word.begin(), word.end(), is_base64));
}

}  // namespace

std::string text_of(const LogLabel& label) { return with_sum(fmt::format("{} {} {}", label.head.value, label.first, label.last)); }
std::string text_of(const NamesLabel& label) {
  return with_sum(label.log ? fmt::format("{} {}", label.head.value, *label.log) : std::to_string(label.head.value));
}

std::optional<LogLabel> parse_log_label(std::string_view text) {
  LogLabel label;
  const auto words = summed_words(text);
  if ((words.size() != 1 && words.size() != 3) || !is_number(words[0], label.head.value)) return std::nullopt;
  if (words.size() == 1) return label;
  if (!is_hash(words[1]) || !is_hash(words[2])) return std::nullopt;
  label.first = words[1];
  label.last = words[2];
  return label;
}

std::optional<NamesLabel> parse_names_label(std::string_view text) {
  NamesLabel label;
  const auto words = summed_words(text);
  if (words.empty() || words.size() > 2 || !is_number(words[0], label.head.value)) return std::nullopt;
  if (words.size() == 1) return label;
  std::uint32_t log = 0;
  if (!is_number(words[1], log)) return std::nullopt;
  label.log = log;
  return label;
}

}  // namespace ota::eventstore
