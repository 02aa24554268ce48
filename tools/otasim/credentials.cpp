#include "tools/otasim/credentials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace ota::sim {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

// A token goes into a header: it is one word of visible ASCII.
bool is_word(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
  if (!file) throw std::runtime_error("cannot be read");
  return text;
}

}  // namespace

std::unordered_map<std::string, std::string> parse_target_tokens(std::string_view text) {
  std::unordered_map<std::string, std::string> tokens;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const auto gap = line.find_first_of(kBlanks);
    const std::string_view token =
        gap == std::string_view::npos ? std::string_view{} : trimmed(line.substr(gap));
    if (!is_word(token))
      throw std::runtime_error(fmt::format("line {}: is not 'device_id token'", number));
    if (!tokens.emplace(line.substr(0, gap), token).second)
      throw std::runtime_error(
          fmt::format("line {}: has another token of {}", number, line.substr(0, gap)));
  }
  return tokens;
}

Credentials::Credentials(std::string gateway_token, const std::string& target_tokens_file)
    : gateway_token_(std::move(gateway_token)) {
  if (target_tokens_file.empty()) return;
  try {
    tokens_ = parse_target_tokens(read_file(target_tokens_file));
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(
        fmt::format("--target-tokens {}: {}", target_tokens_file, error.what()));
  }
}

std::string Credentials::token_of(const std::string& device) const {
  const auto found = tokens_.find(device);
  return found == tokens_.end() ? std::string{} : found->second;
}

std::string Credentials::header_of(const std::string& device) const {
  const auto own = tokens_.find(device);
  if (own != tokens_.end()) return fmt::format("Authorization: TargetToken {}\r\n", own->second);
  if (!gateway_token_.empty())
    return fmt::format("Authorization: GatewayToken {}\r\n", gateway_token_);
  return {};
}

}  // namespace ota::sim
