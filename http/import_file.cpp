#include "http/import_file.hpp"

#include <fmt/format.h>

#include "http/csv_records.hpp"
#include "http/device_request.hpp"
#include "http/import_columns.hpp"
#include "http/json_reader.hpp"
#include "http/json_text.hpp"
#include "http/limits.hpp"
#include "http/line_stream.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

std::vector<BadField> bad_fields(const FieldErrors& errors) {
  std::vector<BadField> fields;
  for (auto& [name, message] : errors.listed()) fields.push_back({std::move(name), std::move(message)});
  return fields;
}

class CsvFile final : public ImportFile {
 public:
  explicit CsvFile(Sinks sinks)
      : sinks_(std::move(sinks)),
        records_(limits::kImportLineBytes, [this](auto line, auto fields) { on_record(line, fields); },
                 [this](auto line, auto why) { on_broken(line, std::move(why)); }),
        lines_(limits::kImportLineBytes, [this](const TextLine& line) {
          if (!problem_) records_.take(line);
        }) {}

  bool feed(std::string_view bytes) override {
    if (!problem_) lines_.feed(bytes);
    return !problem_;
  }
  bool finish() override {
    lines_.finish();
    records_.finish();
    if (!problem_ && !columns_) refuse("The file is empty: its first line must name the columns");
    return !problem_;
  }
  const Problem& problem() const override { return *problem_; }

 private:
  void on_record(std::uint64_t line, std::span<const std::string_view> fields) {
    if (problem_) return;
    if (!columns_) return on_header(fields);
    if (fields.size() != columns_->count()) {
      sinks_.on_bad(line, {{"", fmt::format("has {} fields, the header has {}", fields.size(), columns_->count())}});
      return;
    }
    FieldErrors errors;
    auto read = columns_->line(line, fields, errors);
    if (errors.empty()) {
      sinks_.on_device(std::move(read));
    } else {
      sinks_.on_bad(line, bad_fields(errors));
    }
  }
  void on_header(std::span<const std::string_view> fields) {
    auto read = ImportColumns::read(fields);
    if (auto* problem = std::get_if<Problem>(&read)) {
      problem_ = std::move(*problem);
    } else {
      columns_ = std::move(std::get<ImportColumns>(read));
    }
  }
  void on_broken(std::uint64_t line, std::string why) {
    if (columns_) {
      sinks_.on_bad(line, {{"", std::move(why)}});
    } else {
      refuse("The header " + why);
    }
  }
  void refuse(std::string why) {
    if (!problem_) problem_ = Problem::invalid_field({"body", "header"}, std::move(why), "value_error");
  }

  const Sinks sinks_;
  std::optional<Problem> problem_;
  std::optional<ImportColumns> columns_;
  CsvRecords records_;
  LineStream lines_;
};

class JsonLinesFile final : public ImportFile {
 public:
  explicit JsonLinesFile(Sinks sinks)
      : sinks_(std::move(sinks)),
        lines_(limits::kImportLineBytes, [this](const TextLine& line) { on_line(line); }) {}

  bool feed(std::string_view bytes) override {
    lines_.feed(bytes);
    return true;
  }
  bool finish() override {
    lines_.finish();
    return true;
  }
  const Problem& problem() const override { return none_; }

 private:
  void on_line(const TextLine& line) {
    if (line.too_long) {
      sinks_.on_bad(line.number, {{"", fmt::format("is longer than the {} bytes that a line may have",
                                                   limits::kImportLineBytes)}});
      return;
    }
    if (trim(line.text).empty()) return;
    auto parsed = parse_json_line(line.text);
    if (auto* why = std::get_if<std::string>(&parsed)) {
      sinks_.on_bad(line.number, {{"", std::move(*why)}});
      return;
    }
    auto& value = std::get<nlohmann::json>(parsed);
    FieldErrors errors;
    JsonReader body(value, errors, nlohmann::json::array());
    actors::ImportLine read;
    read.number = line.number;
    read.device.value = body.required_string("device_id", {1, limits::kPathParameterChars});
    if (!read.device.value.empty()) check_device_id({errors, body.location("device_id")}, read.device.value);
    auto request = read_device(value, body, errors);
    if (!errors.empty()) {
      sinks_.on_bad(line.number, bad_fields(errors));
      return;
    }
    read.change = std::move(request.change);
    read.person = std::move(request.person);
    sinks_.on_device(std::move(read));
  }

  const Sinks sinks_;
  const Problem none_;
  LineStream lines_;
};

}  // namespace

std::optional<ImportFormat> import_format(std::string_view content_type) {
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  if (equals_ignoring_case(type, "text/csv")) return ImportFormat::kCsv;
  for (const auto* name : {"application/x-ndjson", "application/jsonl", "application/ndjson", "application/x-jsonlines"}) {
    if (equals_ignoring_case(type, name)) return ImportFormat::kJsonLines;
  }
  return std::nullopt;
}

std::unique_ptr<ImportFile> ImportFile::make(ImportFormat format, Sinks sinks) {
  if (format == ImportFormat::kCsv) return std::make_unique<CsvFile>(std::move(sinks));
  return std::make_unique<JsonLinesFile>(std::move(sinks));
}

}  // namespace ota::http
