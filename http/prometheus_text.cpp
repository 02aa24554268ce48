#include "http/prometheus_text.hpp"

#include <fmt/format.h>

namespace ota::http {
namespace {

constexpr double kMicrosecondsPerSecond = 1e6;

std::string escaped_label(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') text += '\\';
    text += c;
  }
  return text;
}

}  // namespace

void PrometheusText::head(std::string_view name, std::string_view help, std::string_view type) {
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void PrometheusText::gauge(std::string_view name, std::string_view help, double value) {
  head(name, help, "gauge");
  text_ += fmt::format("{} {}\n", name, value);
}

void PrometheusText::counter(std::string_view name, std::string_view help, std::uint64_t value) {
  head(name, help, "counter");
  text_ += fmt::format("{} {}\n", name, value);
}

void PrometheusText::info(std::string_view name, std::string_view help, std::string_view label, std::string_view value) {
  head(name, help, "gauge");
  text_ += fmt::format("{}{{{}=\"{}\"}} 1\n", name, label, escaped_label(value));
}

void PrometheusText::histogram(std::string_view name, std::string_view help, const eventstore::Histogram& values, Unit unit) {
  head(name, help, "histogram");
  const auto shown = [unit](std::uint64_t value) {
    const auto number = static_cast<double>(value);
    return unit == Unit::kMicroseconds ? number / kMicrosecondsPerSecond : number;
  };
  const auto reading = values.read();
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < reading.bounds.size(); ++i) {
    below += reading.counts[i];
    text_ += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, shown(reading.bounds[i]), below);
  }
  text_ += fmt::format("{}_bucket{{le=\"+Inf\"}} {}\n", name, reading.count);
  text_ += fmt::format("{}_sum {}\n{}_count {}\n", name, shown(reading.sum), name, reading.count);
}

}  // namespace ota::http
