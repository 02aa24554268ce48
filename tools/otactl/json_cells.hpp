// JSON objects of the service as cells and lines of text. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace ota::ctl {

enum class As { kText, kNumber, kTime, kSize, kPercent, kMinutes, kYesNo };

// One value to show: its heading, where it is ("a.b" for members of members; the first path that is
// there counts), and how to write it.
struct Shown {
  std::string title;
  std::vector<std::string> paths;
  As as = As::kText;
};

// Answers any value on one line: strings as they are, lists with commas, objects as JSON.
std::string value_text(const nlohmann::json& value);

// Answers the value shown as text, "-" where it is absent, null or empty.
std::string cell(const nlohmann::json& object, const Shown& shown);

// Answers a table with a row for each object of the array.
std::string objects_table(const nlohmann::json& objects, const std::vector<Shown>& columns);

// Answers the page of a list ("campaigns" of {"campaigns": [...], "count": n, ...}) as a table and,
// where there is more, how to get it.
std::string list_text(const nlohmann::json& page, const char* member,
                      const std::vector<Shown>& columns);

// Answers "title   value" lines; what is absent, null or empty is left out.
std::string object_lines(const nlohmann::json& object, const std::vector<Shown>& lines);

}  // namespace ota::ctl
