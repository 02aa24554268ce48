// Feeds: a file of devices, read as CSV and as JSON Lines.
//
// Claims: lines and records are the same however the file is cut into pieces, and a line is what a
// plain splitting calls one. Every line that says anything leads to one record or one complaint, in
// order, each with its number; a broken record costs its first line alone. Records that are written
// down again are read as the same. Devices that are taken have an id and values within their
// bounds. With a small bound on lines as with the real one.
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "domain/codec/codec.hpp"
#include "domain/ids.hpp"
#include "domain/limits.hpp"
#include "http/csv_records.hpp"
#include "http/device_request.hpp"
#include "http/import_file.hpp"
#include "http/limits.hpp"
#include "http/line_stream.hpp"
#include "http/text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace ota::http;
using namespace ota::fuzz;

namespace {

constexpr std::size_t kSmall = 24;

// Where the bound is far, a cut changes less.
std::vector<unsigned> ways_for(std::size_t bytes_max) {
  return bytes_max == kSmall ? std::vector<unsigned>{1, 2, 3, 4} : std::vector<unsigned>{2, 4};
}

struct SeenLine {
  std::uint64_t number;
  bool too_long;
  std::string text;  // of one that is not too long
  bool operator==(const SeenLine&) const = default;
};

std::vector<SeenLine> lines_of(std::string_view text, std::size_t bytes_max, unsigned way) {
  std::vector<SeenLine> lines;
  LineStream stream(bytes_max, [&](const TextLine& line) {
    // A mark and a CR may be on top.
    claim(line.text.size() <= bytes_max + 4, "a line is bounded");
    claim(line.text.find('\n') == std::string_view::npos, "a line is one");
    lines.push_back(
        {line.number, line.too_long, line.too_long ? std::string() : std::string(line.text)});
  });
  for (const auto piece : cut(text, way)) stream.feed(piece);
  stream.finish();
  return lines;
}

void check_lines(std::string_view text, std::size_t bytes_max) {
  const auto whole = lines_of(text, bytes_max, 0);
  for (const unsigned way : ways_for(bytes_max)) {
    claim(lines_of(text, bytes_max, way) == whole, "lines are the same wherever the text is cut");
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const auto end = std::min(text.find('\n', at), text.size());
    auto plain = text.substr(at, end - at);
    at = end + 1;
    if (i == 0 && plain.starts_with("\xEF\xBB\xBF")) plain.remove_prefix(3);
    if (plain.ends_with('\r')) plain.remove_suffix(1);
    claim(whole[i].number == i + 1, "lines are counted");
    claim(whole[i].too_long || whole[i].text == plain, "a line is what stands between two ends");
    claim(!whole[i].too_long || plain.size() + 4 > bytes_max, "only a long line is too long");
  }
  claim(at >= text.size(), "no line is lost");
}

using Record = std::pair<std::uint64_t, std::vector<std::string>>;
struct Table {
  std::vector<Record> records;
  std::vector<std::uint64_t> broken;
  bool operator==(const Table&) const = default;
};

Table table_of(std::string_view text, std::size_t bytes_max, unsigned way) {
  Table table;
  CsvRecords records(
      bytes_max,
      [&](std::uint64_t line, std::span<const std::string_view> fields) {
        claim(!fields.empty(), "a record has a field");
        table.records.emplace_back(line, std::vector<std::string>(fields.begin(), fields.end()));
      },
      [&](std::uint64_t line, const std::string& why) {
        claim(!why.empty(), "a complaint has its reason");
        table.broken.push_back(line);
      });
  LineStream lines(bytes_max, [&](const TextLine& line) { records.take(line); });
  for (const auto piece : cut(text, way)) lines.feed(piece);
  lines.finish();
  records.finish();
  return table;
}

std::string written(const std::vector<Record>& records) {
  std::string text;
  for (const auto& [line, fields] : records) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      text += i == 0 ? "\"" : ",\"";
      for (const char c : fields[i]) text.append(c == '"' ? 2 : 1, c);
      text += '"';
    }
    text += '\n';
  }
  return text;
}

void check_table(std::string_view text, std::size_t bytes_max) {
  const auto whole = table_of(text, bytes_max, 0);
  for (const unsigned way : ways_for(bytes_max)) {
    claim(table_of(text, bytes_max, way) == whole, "records are the same wherever the text is cut");
  }
  std::uint64_t last = 0;
  for (const auto& [line, fields] : whole.records) {
    claim(line > last, "records come in order, each with its own line");
    last = line;
    for (const auto broken : whole.broken) claim(broken != line, "a line is a record or is broken");
  }
  last = 0;
  for (const auto line : whole.broken) {
    claim(line > last, "so do complaints");
    last = line;
  }
  // A CR before a line's end is the end's, also within quotes.
  const auto again_text = written(whole.records);
  if (again_text.find("\r\n") != std::string::npos) return;
  const auto again = table_of(again_text, again_text.size(), 0);
  claim(again.broken.empty() && again.records.size() == whole.records.size(),
        "written down, every record is there");
  for (std::size_t i = 0; i < again.records.size(); ++i) {
    claim(again.records[i].second == whole.records[i].second, "written down, it says the same");
  }
}

void check_device(const ota::actors::ImportLine& line) {
  namespace bounds = ota::domain::limits;
  claim(ota::domain::is_valid_device_id(line.device.value), "a device has an id");
  claim(line.change.values.size() <= bounds::kDeviceAttributes, "attributes are bounded");
  claim(line.person.size() <= limits::kUserIdBytes && count_characters(line.person),
        "an owner is a text");
  ota::domain::DeviceRegistered registered;
  for (const auto& [name, value] : line.change.values) {
    claim(!name.empty() && name.size() <= bounds::kAttributeBytes, "an attribute has a name");
    claim(count_characters(value).has_value(), "an attribute is text");
    registered.attributes[name] = value;
  }
  registered.groups = line.change.groups.value_or(std::vector<std::string>{});
  claim(registered.groups.size() <= kDeviceGroups, "groups are bounded");
  const auto encoded = ota::domain::encode(registered);
  const auto again = ota::domain::decode(encoded.type, encoded.payload);
  claim(again && *again == ota::domain::Event(registered), "what is recorded is read back");
}

struct Imported {
  bool taken = true;
  std::vector<std::tuple<std::uint64_t, bool, std::string>> lines;  // taken, and the id
  bool operator==(const Imported&) const = default;
};

Imported imported(std::string_view text, ImportFormat format, unsigned way) {
  Imported result;
  const auto file =
      ImportFile::make(format, {[&](ota::actors::ImportLine line) {
                                  check_device(line);
                                  result.lines.emplace_back(line.number, true, line.device.value);
                                },
                                [&](std::uint64_t line, const std::vector<BadField>& fields) {
                                  claim(!fields.empty() && !fields.front().message.empty(),
                                        "a complaint has its reason");
                                  result.lines.emplace_back(line, false, fields.front().message);
                                }});
  for (const auto piece : cut(text, way)) {
    if (!file->feed(piece)) break;
  }
  result.taken = file->finish();
  if (!result.taken) {
    claim(!file->problem().message.empty(), "a refusal has its reason");
    claim(result.lines.empty(), "a file is refused before any of its devices");
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  for (const auto bytes_max : {kSmall, limits::kImportLineBytes}) {
    check_lines(text, bytes_max);
    check_table(text, bytes_max);
  }
  for (const auto format : {ImportFormat::kCsv, ImportFormat::kJsonLines}) {
    const auto whole = imported(text, format, 0);
    for (const unsigned way : ways_for(limits::kImportLineBytes)) {
      claim(imported(text, format, way) == whole, "devices are the same, too");
    }
  }
  return 0;
}
