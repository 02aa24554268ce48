#include "tools/otactl/table.hpp"

#include <algorithm>
#include <cassert>

#include "tools/otactl/human.hpp"

namespace ota::ctl {
namespace {

std::string padded(const std::string& cell, std::size_t width, bool right) {
  const std::size_t have = text::display_width(cell);
  const std::string blanks(width > have ? width - have : 0, ' ');
  return right ? blanks + cell : cell + blanks;
}

void end_line(std::string& text) {
  while (text.ends_with(' ')) text.pop_back();
  text += '\n';
}

}  // namespace

void Table::add(std::vector<std::string> row) {
  assert(row.size() <= headings_.size());
  row.resize(headings_.size());
  rows_.push_back(std::move(row));
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const Heading& heading : headings_) widths.push_back(text::display_width(heading.title));
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], text::display_width(row[i]));

  std::string result;
  const auto line = [&](const auto& cell) {
    for (std::size_t i = 0; i < headings_.size(); ++i) {
      if (i > 0) result += "  ";
      result += padded(cell(i), widths[i], headings_[i].right);
    }
    end_line(result);
  };
  line([this](std::size_t i) { return headings_[i].title; });
  for (const auto& row : rows_) line([&row](std::size_t i) { return row[i]; });
  return result;
}

std::string aligned(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::size_t width = 0;
  for (const auto& [name, value] : fields) width = std::max(width, text::display_width(name));
  std::string result;
  for (const auto& [name, value] : fields) {
    result += padded(name, width + 2, false) + value;
    end_line(result);
  }
  return result;
}

}  // namespace ota::ctl
