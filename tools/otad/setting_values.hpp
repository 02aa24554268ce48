// How the values of settings are written. Each throws BadValue with a sentence that says what is wanted.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

#include "domain/words.hpp"

namespace ota::tools {

struct BadValue : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::uint64_t number(const std::string& text, std::uint64_t low, std::uint64_t high);
// "250ms", "1s", "5m", "24h".
domain::Duration duration(const std::string& text);
domain::Duration duration_within(const std::string& text, domain::Duration low, domain::Duration high);
// A bare true or false of the file counts, too.
bool on_or_off(const std::string& text);
// Separated by commas.
std::vector<std::string> words(const std::string& text);
std::string one_of(const std::string& text, std::initializer_list<const char*> allowed);

}  // namespace ota::tools
