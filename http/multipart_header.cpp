#include "http/multipart_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

constexpr std::size_t kBoundaryBytes = 70;  // RFC 2046

// "form-data; name=\"file\"" as its word and its parameters.
struct Parameters {
  std::string_view word;
  std::vector<std::pair<std::string_view, std::string>> items;

  const std::string* find(std::string_view name) const {
    for (const auto& [key, value] : items) {
      if (equals_ignoring_case(key, name)) return &value;
    }
    return nullptr;
  }
};

// Takes a quoted string off the front of `rest`, which begins behind the opening quote. A backslash
// is itself unless a quote or a backslash follows: browsers of old send bare Windows paths.
bool take_quoted(std::string_view& rest, std::string& value) {
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"') return true;
    if (c == '\\' && !rest.empty() && (rest.front() == '"' || rest.front() == '\\')) {
      value.push_back(rest.front());
      rest.remove_prefix(1);
    } else {
      value.push_back(c);
    }
  }
  return false;
}

std::optional<Parameters> parse_parameters(std::string_view text) {
  Parameters parameters;
  const auto semicolon = text.find(';');
  parameters.word = trim(text.substr(0, semicolon));
  std::string_view rest = semicolon == std::string_view::npos ? "" : text.substr(semicolon + 1);
  for (;;) {
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(" \t;")));
    if (rest.empty()) return parameters;
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = trim(rest.substr(0, equals));
    rest = trim(rest.substr(equals + 1));
    std::string value;
    if (rest.starts_with('"')) {
      rest.remove_prefix(1);
      if (!take_quoted(rest, value)) return std::nullopt;
      rest = trim(rest);
      if (!rest.empty() && rest.front() != ';') return std::nullopt;
    } else {
      value = trim(rest.substr(0, rest.find(';')));
      rest.remove_prefix(std::min(rest.size(), rest.find(';')));
    }
    if (name.empty()) return std::nullopt;
    parameters.items.emplace_back(name, std::move(value));
  }
}

// UTF-8''percent-encoded (RFC 8187), as some clients send names that are not ASCII.
std::optional<std::string> parse_extended_value(std::string_view value) {
  const auto first = value.find('\'');
  const auto second = value.find('\'', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos || !equals_ignoring_case(value.substr(0, first), "utf-8")) {
    return std::nullopt;
  }
  return percent_decode(value.substr(second + 1), PlusSign::kItself);
}

std::optional<std::string> read_disposition(std::string_view value, PartHeader& header) {
  const auto parameters = parse_parameters(value);
  if (!parameters || !equals_ignoring_case(parameters->word, "form-data")) {
    return fmt::format("Content-Disposition must be form-data, got '{}'", shown(value));
  }
  const std::string* name = parameters->find("name");
  if (!name || name->empty()) return fmt::format("a part has no name in '{}'", shown(value));
  header.name = *name;
  if (const std::string* file_name = parameters->find("filename")) header.file_name = *file_name;
  if (const std::string* extended = parameters->find("filename*")) {
    auto decoded = parse_extended_value(*extended);
    if (!decoded) return fmt::format("filename* cannot be read: '{}'", shown(*extended));
    header.file_name = std::move(*decoded);
  }
  header.file_name.erase(0, header.file_name.find_last_of("/\\") + 1);
  for (const std::string* text : {&header.name, &header.file_name}) {
    if (text->size() > limits::kFileNameBytes) {
      return fmt::format("a name is longer than {} bytes: '{}'", limits::kFileNameBytes,
                         shown(*text));
    }
    if (has_control_character(*text) || !count_characters(*text)) {
      return fmt::format("a name is not printable UTF-8: '{}'", shown(*text));
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> multipart_boundary(std::string_view content_type) {
  const auto parameters = parse_parameters(content_type);
  if (!parameters || !equals_ignoring_case(parameters->word, "multipart/form-data")) {
    return std::nullopt;
  }
  const std::string* boundary = parameters->find("boundary");
  if (!boundary || boundary->empty() || boundary->size() > kBoundaryBytes ||
      !is_printable_ascii(*boundary) || boundary->back() == ' ') {
    return std::nullopt;
  }
  return *boundary;
}

std::variant<PartHeader, std::string> parse_part_header(std::string_view block) {
  PartHeader header;
  while (!block.empty()) {
    const std::string_view line = block.substr(0, block.find("\r\n"));
    block.remove_prefix(std::min(block.size(), line.size() + 2));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
      return fmt::format("a part has a header line without a colon: '{}'", shown(line));
    }
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trim(line.substr(colon + 1));
    if (equals_ignoring_case(name, "Content-Disposition")) {
      if (auto error = read_disposition(value, header)) return std::move(*error);
    } else if (equals_ignoring_case(name, "Content-Type")) {
      header.content_type = value;
    } else if (equals_ignoring_case(name, "Content-Transfer-Encoding") &&
               !equals_ignoring_case(value, "binary") && !equals_ignoring_case(value, "8bit") &&
               !equals_ignoring_case(value, "7bit")) {
      return fmt::format("Content-Transfer-Encoding '{}' is not supported", shown(value));
    }
  }
  if (header.name.empty()) return std::string("a part has no Content-Disposition");
  return header;
}

}  // namespace ota::http
