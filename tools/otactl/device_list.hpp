// Files with one device id a line. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ota::ctl {

// Answers the lines without surrounding blanks and line ends; empty lines are skipped, order and
// repetitions kept.
std::vector<std::string> device_lines(std::string_view content);

}  // namespace ota::ctl
