// The text in which Prometheus reads metrics, version 0.0.4: of each its help, its type and its samples.
//
// Names and help are ours and need no escaping; values of labels are anybody's and are escaped. A number that is counted in
// microseconds is shown in seconds, as Prometheus wants it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "eventstore/histogram.hpp"

namespace ota::http {

class PrometheusText {
 public:
  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

  // May go down as well.
  void gauge(std::string_view name, std::string_view help, double value);
  // Only goes up; its name ends in _total.
  void counter(std::string_view name, std::string_view help, std::uint64_t value);
  // One that says something by its label: its value is 1.
  void info(std::string_view name, std::string_view help, std::string_view label, std::string_view value);
  enum class Unit { kOne, kMicroseconds };
  void histogram(std::string_view name, std::string_view help, const eventstore::Histogram& values, Unit unit = Unit::kOne);

  std::string take() { return std::move(text_); }

 private:
  void head(std::string_view name, std::string_view help, std::string_view type);
  std::string text_;
};

}  // namespace ota::http
