// Records of a CSV text (RFC 4180) from its lines.
//
// Fields are separated by commas; one that begins with a quote may hold commas, line ends (given as LF) and quotes
// (doubled). Empty lines are overlooked. A record that is broken (a quote inside of a field, text behind a quoted one, a
// quote that nobody closes) costs its first line alone: reading goes on with the line behind that, for as a rule it is the
// first line that lacks a quote, and the others shall not be lost with it. Memory is one record. Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/line_stream.hpp"

namespace ota::http {

class CsvRecords {
 public:
  // `line`: of the record's beginning. The fields are valid during the call.
  using OnRecord = std::function<void(std::uint64_t line, std::span<const std::string_view> fields)>;
  using OnBroken = std::function<void(std::uint64_t line, std::string why)>;

  CsvRecords(std::size_t bytes_max, OnRecord on_record, OnBroken on_broken)
      : bytes_max_(bytes_max), on_record_(std::move(on_record)), on_broken_(std::move(on_broken)) {}

  void take(const TextLine& line);
  // The text is over: a quote that is open now is never closed.
  void finish();

 private:
  enum class Step : std::uint8_t { kRecord, kOpen, kBroken };
  struct Held {
    std::uint64_t number = 0;
    std::string text;
  };

  void take_plain(const TextLine& line);
  void take_one(std::uint64_t number, std::string_view text);
  Step read(std::string_view text);
  bool read_quoted(std::string_view& text);
  void give_up(std::string why);
  void read_anew();
  void give_up_open(const std::string& why);
  void begin_field() { fields_.emplace_back(); }

  const std::size_t bytes_max_;
  const OnRecord on_record_;
  const OnBroken on_broken_;
  std::vector<std::string_view> views_;   // of the record that is given
  std::vector<std::string> fields_;       // of the record that is being read; the last may be open
  bool quoted_ = false;                   // it is: within its quotes
  std::string why_;                       // of Step::kBroken
  std::vector<Held> held_;                // the lines of an open record
  std::size_t held_bytes_ = 0;
  std::deque<Held> again_;                // of a record that was given up, but for its first
};

}  // namespace ota::http
