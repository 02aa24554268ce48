// Feeds: a Content-Type, a line's end, and a multipart/form-data body.
//
// Claims: the same parts are read, or the body is refused, however it is cut into pieces; after a
// refusal nothing is delivered any more; names are printable UTF-8 of a bounded size and file names
// have no folder in them; what was read and is written down again is read as the same. A part's
// header and a boundary are read alike from any memory.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "http/limits.hpp"
#include "http/multipart_stream.hpp"
#include "http/text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace ota::http;
using namespace ota::fuzz;

namespace {

constexpr std::string_view kFilePart = "file";

struct Read {
  bool good = true;
  std::string content;
  std::optional<PartHeader> file;
  std::map<std::string, std::string> texts;
};

// `names`: of the parts that may be there.
Read read(std::string_view body, std::string_view boundary, unsigned way,
          const std::set<std::string>& names) {
  Read result;
  bool refused = false;
  MultipartStream stream(boundary, std::string(kFilePart), [&](std::string_view bytes) {
    claim(!refused, "after a refusal nothing is delivered");
    claim(!bytes.empty(), "what is delivered is something");
    result.content += bytes;
  });
  for (const auto piece : cut(body, way)) {
    if (stream.feed(piece)) continue;
    refused = true;
    claim(!stream.feed("\r\n--" + std::string(boundary) + "--\r\n"),
          "what is refused stays refused");
    break;
  }
  result.good = stream.finish();
  claim(!(refused && result.good), "what is refused is not good in the end");
  if (!result.good) {
    const auto& problem = stream.problem();
    claim(problem.status == 400 && !problem.message.empty(), "a refusal has its reason");
    return result;
  }
  if (stream.has_file()) result.file = stream.file();
  for (const auto& name : names) {
    if (const auto* text = stream.text(name)) result.texts[name] = *text;
  }
  return result;
}

void check_name(const std::string& name) {
  claim(name.size() <= limits::kFileNameBytes, "a name is bounded");
  claim(!has_control_character(name) && count_characters(name), "a name is printable");
}

void check_header(std::string_view block, std::set<std::string>& names) {
  const Guarded guarded(block);
  auto parsed = parse_part_header(guarded.view());
  if (const auto* why = std::get_if<std::string>(&parsed))
    return claim(!why->empty(), "a refusal has its reason");
  const auto& header = std::get<PartHeader>(parsed);
  claim(!header.name.empty(), "a part has a name");
  check_name(header.name);
  check_name(header.file_name);
  claim(header.file_name.find_first_of("/\\") == std::string::npos, "a file name has no folder");
  names.insert(header.name);
}

// Every part that begins anywhere: more than there are, and that is no matter.
std::set<std::string> names_in(std::string_view body) {
  std::set<std::string> names;
  for (auto at = body.find("\r\n"); at != std::string_view::npos; at = body.find("\r\n", at + 1)) {
    const auto block = body.substr(at + 2);
    const auto end = block.find("\r\n\r\n");
    if (end != std::string_view::npos && names.size() < 64)
      check_header(block.substr(0, end), names);
  }
  return names;
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// The parts, the file last, under a boundary that is in none of them.
std::string written(const Read& parts, std::string& boundary) {
  const auto is_within = [&](const std::string& text) {
    return text.find(boundary) != std::string::npos;
  };
  while (is_within(parts.content) ||
         std::any_of(parts.texts.begin(), parts.texts.end(),
                     [&](const auto& part) { return is_within(part.second); })) {
    boundary += 'x';
  }
  std::string body;
  const auto begin = [&](std::string_view name) {
    body += "--" + boundary + "\r\nContent-Disposition: form-data; name=" + in_quotes(name);
  };
  for (const auto& [name, text] : parts.texts) {
    begin(name);
    body += "\r\n\r\n" + text + "\r\n";
  }
  if (parts.file) {
    begin(kFilePart);
    body += "; filename=" + in_quotes(parts.file->file_name);
    if (!parts.file->content_type.empty()) body += "\r\nContent-Type: " + parts.file->content_type;
    body += "\r\n\r\n" + parts.content + "\r\n";
  }
  return body + "--" + boundary + "--\r\n";
}

bool same(const Read& a, const Read& b) {
  if (a.good != b.good) return false;
  if (!a.good) return true;
  if (a.file.has_value() != b.file.has_value() || a.content != b.content || a.texts != b.texts)
    return false;
  return !a.file ||
         (a.file->file_name == b.file->file_name && a.file->content_type == b.file->content_type);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = text_of(data, size);
  const auto line = input.find('\n');
  const auto type = input.substr(0, line);
  const auto body = line == std::string_view::npos ? std::string_view() : input.substr(line + 1);
  const auto found = multipart_boundary(Guarded(type).view());
  if (found)
    claim(!found->empty() && found->size() <= 70 && is_printable_ascii(*found),
          "a boundary is short and printable");
  const std::string boundary = found.value_or("B");

  const auto names = names_in(body);
  const Read whole = read(body, boundary, 0, names);
  for (unsigned way = 1; way < kWays; ++way) {
    claim(same(read(body, boundary, way, names), whole),
          "the same parts are read wherever the body is cut");
  }
  if (!whole.good) return 0;
  // With the names written with more backslashes, the header may be longer than it was.
  if (whole.file && whole.file->content_type.size() > limits::kMultipartHeaderBytes / 2) return 0;
  claim(whole.texts.size() + whole.file.has_value() <= limits::kMultipartParts,
        "parts are bounded");
  std::string again_boundary = "again";
  const auto again = written(whole, again_boundary);
  claim(same(read(again, again_boundary, 4, names), whole), "and again when they are written down");
  return 0;
}
