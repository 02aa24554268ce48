// The place of a version in a list: the same for all texts that mean the same version (decision 3).
//
// "2.0.0", "2.00.0" and "2.0.0+build7" have one key; some that differ share one too ("a+1", "a+2"; "rc01", "rc1"). So
// whoever looks under a key compares what it finds there with domain::compare_versions.
#pragma once

#include <string>
#include <string_view>

namespace ota::projections {

// Without what follows a '+', and without zeros that begin a number. Empty only for an empty version.
inline std::string version_key(std::string_view version) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (const auto plus = version.find('+'); plus > 0) version = version.substr(0, plus);
  std::string key;
  key.reserve(version.size());
  for (std::size_t i = 0; i < version.size(); ++i) {
    const bool begins_number = version[i] == '0' && (i == 0 || !is_digit(version[i - 1]));
    if (begins_number) {
      while (i + 1 < version.size() && version[i] == '0' && is_digit(version[i + 1])) ++i;
    }
    key.push_back(version[i]);
  }
  return key;
}

}  // namespace ota::projections
