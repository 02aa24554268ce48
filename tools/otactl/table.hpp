// Aligned tables for a terminal. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ota::ctl {

struct Heading {
  std::string title;
  bool right = false;  // numbers
};

class Table {
 public:
  explicit Table(std::vector<Heading> headings) : headings_(std::move(headings)) {}

  // Adds a row; missing cells are empty, surplus ones a programmer's error.
  void add(std::vector<std::string> row);

  // Answers headings and rows, columns two blanks apart, without trailing blanks.
  std::string text() const;

 private:
  std::vector<Heading> headings_;
  std::vector<std::vector<std::string>> rows_;
};

// Answers "name   value" lines with the values aligned.
std::string aligned(const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace ota::ctl
