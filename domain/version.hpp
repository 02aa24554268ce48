// Which of two versions is newer: one function, used everywhere (decision 3).
#pragma once

#include <compare>
#include <string_view>

namespace ota::domain {

// Semantic versioning where both parse (leading zeros dropped, a pre-release below its release, build ignored);
// otherwise natural order: runs of digits as numbers, the rest as bytes.
std::weak_ordering compare_versions(std::string_view a, std::string_view b);

// The same version, however it is written: 2.0, 2.00, 2.0+build7. An unknown one (empty) is the same as no other.
bool same_version(std::string_view a, std::string_view b);

// Is `hardware` within [min, max]? Empty bounds do not bound.
bool in_hardware_range(std::string_view hardware, std::string_view min, std::string_view max);

}  // namespace ota::domain
