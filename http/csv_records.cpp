#include "http/csv_records.hpp"

#include <iterator>

#include <fmt/format.h>

#include "http/text.hpp"

namespace ota::http {

void CsvRecords::take(const TextLine& line) {
  if (line.too_long) {
    give_up_open(fmt::format("opens a quote that is not closed within {} bytes", bytes_max_));
    on_broken_(line.number, fmt::format("is longer than the {} bytes that a line may have", bytes_max_));
    return;
  }
  if (held_.empty()) {
    if (line.text.empty()) return;
    if (line.text.find('"') == std::string_view::npos) return take_plain(line);
  }
  take_one(line.number, line.text);
  read_anew();
}

void CsvRecords::finish() { give_up_open("opens a quote that is never closed"); }

void CsvRecords::take_plain(const TextLine& line) {
  views_.clear();
  std::string_view rest = line.text;
  for (;;) {
    const auto comma = rest.find(',');
    views_.push_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  on_record_(line.number, views_);
}

void CsvRecords::take_one(std::uint64_t number, std::string_view text) {
  const Step step = read(text);
  if (step == Step::kRecord) {
    views_.assign(fields_.begin(), fields_.end());
    on_record_(held_.empty() ? number : held_.front().number, views_);
    fields_.clear();
    held_.clear();
    held_bytes_ = 0;
    return;
  }
  held_.push_back({number, std::string(text)});
  held_bytes_ += text.size() + 1;
  if (step == Step::kBroken) {
    give_up(std::move(why_));
  } else if (held_bytes_ > bytes_max_) {
    give_up(fmt::format("opens a quote that is not closed within {} bytes", bytes_max_));
  }
}

// Reads the next line of a record, or its first.
CsvRecords::Step CsvRecords::read(std::string_view text) {
  if (!quoted_) begin_field();
  for (;;) {
    if (!quoted_ && text.starts_with('"')) {
      quoted_ = true;
      text.remove_prefix(1);
    }
    if (quoted_) {
      if (!read_quoted(text)) return Step::kOpen;
    } else {
      const auto field = text.substr(0, text.find(','));
      if (field.find('"') != std::string_view::npos) {
        why_ = fmt::format("has a quote inside of the field '{}', which does not begin with one", shown(field));
        return Step::kBroken;
      }
      fields_.back() = field;
      text.remove_prefix(field.size());
    }
    if (text.empty()) return Step::kRecord;
    if (text.front() != ',') {
      why_ = fmt::format("has '{}' behind the closing quote of a field", shown(text.substr(0, text.find(','))));
      return Step::kBroken;
    }
    text.remove_prefix(1);
    begin_field();
  }
}

// Takes what is within quotes off the text; false: the quote is not closed in it.
bool CsvRecords::read_quoted(std::string_view& text) {
  for (;;) {
    const auto quote = text.find('"');
    fields_.back() += text.substr(0, quote);
    if (quote == std::string_view::npos) {
      fields_.back() += '\n';
      return false;
    }
    text.remove_prefix(quote + 1);
    if (!text.starts_with('"')) break;
    fields_.back() += '"';
    text.remove_prefix(1);
  }
  quoted_ = false;
  return true;
}

// The first line of the record is bad; the others are read anew.
void CsvRecords::give_up(std::string why) {
  on_broken_(held_.front().number, std::move(why));
  again_.insert(again_.begin(), std::make_move_iterator(held_.begin() + 1), std::make_move_iterator(held_.end()));
  held_.clear();
  held_bytes_ = 0;
  fields_.clear();
  quoted_ = false;
}

void CsvRecords::read_anew() {
  while (!again_.empty()) {
    const Held line = std::move(again_.front());
    again_.pop_front();
    if (!held_.empty() || !line.text.empty()) take_one(line.number, line.text);
  }
}

void CsvRecords::give_up_open(const std::string& why) {
  while (!held_.empty()) {
    give_up(why);
    read_anew();
  }
}

}  // namespace ota::http
