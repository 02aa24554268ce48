// Devices in bulk: POST /devices/import, a file of any length, streamed (spec/api.md section 5).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "actors/device_import.hpp"
#include "http/api.hpp"
#include "http/commands.hpp"
#include "http/import_file.hpp"
#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

// What is told of bad lines: all are counted, the first are listed.
class Report {
 public:
  void line() { ++lines_; }
  void bad_line(std::uint64_t line, const std::vector<BadField>& fields) {
    ++bad_lines_;
    for (const auto& field : fields) bad_field(line, field.name, field.message);
  }
  void bad_field(std::uint64_t line, const std::string& field, const std::string& message) {
    if (errors_.size() == limits::kImportErrors) {
      truncated_ = true;
      return;
    }
    errors_.push_back({{"line", line}, {"field", field.empty() ? json(nullptr) : json(field)}, {"message", message}});
  }
  std::uint64_t total() const { return lines_ + bad_lines_; }
  std::string answer(const actors::ImportCounts& counts) {
    std::stable_sort(errors_.begin(), errors_.end(),
                     [](const json& a, const json& b) { return a["line"] < b["line"]; });
    return json{{"total", total()},
                {"registered", counts.registered},
                {"changed", counts.changed},
                {"unchanged", counts.unchanged},
                {"returned", counts.returned},
                {"failed", bad_lines_ + counts.failed},
                {"errors", std::move(errors_)},
                {"errors_truncated", truncated_}}
        .dump(-1, ' ', false, json::error_handler_t::replace);
  }

 private:
  std::uint64_t lines_ = 0;               // that could be read
  std::uint64_t bad_lines_ = 0;
  std::vector<json> errors_;
  bool truncated_ = false;
};

Problem too_large() {
  return Problem::too_large(fmt::format("A file to import has at most {} bytes; send it in parts", limits::kImportFileBytes));
}

// Feeds the body into the file; the problem if it is refused, or did not arrive whole.
std::optional<Problem> receive(RequestBody& body, ImportFile& file) {
  std::string piece(limits::kBodyPieceBytes, '\0');
  std::uint64_t received = 0;
  for (;;) {
    const auto read = body.read(piece.data(), piece.size());
    if (read.outcome == BodyOutcome::kEnd) break;
    if (read.outcome != BodyOutcome::kBytes) return body_problem(read.outcome);
    received += read.count;
    if (received > limits::kImportFileBytes) return too_large();
    if (!file.feed({piece.data(), read.count})) return file.problem();
  }
  if (!file.finish()) return file.problem();
  return std::nullopt;
}

void import(RequestContext& context, Api& api) {
  const auto type = context.header("Content-Type").value_or("");
  const auto format = import_format(type);
  if (!format) {
    return context.answer(Problem::unsupported_media(fmt::format(
        "Devices are imported as text/csv or application/x-ndjson, not as '{}'", shown(type))));
  }
  if (context.body_stream().declared_size().value_or(0) > limits::kImportFileBytes) return context.answer(too_large());
  if (const auto full = api.service.disk_refusal()) return context.answer(Problem::unavailable(*full, 30));
  auto found = meta_of(context, api.service, 200);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);

  Report report;
  const auto importing = api.service.begin_import(
      std::get<actors::Meta>(found), [&report](std::uint64_t line, const domain::DomainError& error) {
        report.bad_field(line, error.field, error.message);
      });
  const auto file = ImportFile::make(
      *format, {[&](actors::ImportLine line) {
                  report.line();
                  importing->add(std::move(line));
                },
                [&](std::uint64_t line, const std::vector<BadField>& fields) { report.bad_line(line, fields); }});
  auto problem = receive(context.body_stream(), *file);
  const auto counts = importing->finish();
  if (!problem) return context.answer_json(200, report.answer(counts));
  // What was whole before is in: the import may be sent again from the beginning.
  if (report.total() > 0) {
    problem->message += fmt::format("; the {} lines before that were imported", report.total());
  }
  context.answer(*problem);
}

}  // namespace

void add_import_routes(Router::Group& admin, Api& api) {
  RouteOptions streamed = admin.defaults();
  streamed.streams_body = true;
  streamed.body_bytes_max = limits::kImportFileBytes;
  streamed.running_max = limits::kImportsAtOnce;
  admin.add("POST", "/devices/import", [&api](RequestContext& c) { import(c, api); }, streamed);
}

}  // namespace ota::http
