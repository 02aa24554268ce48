// Where the sources are, for the tests that read files kept beside them.
#pragma once

#include <filesystem>

namespace ota::domain::testing {

// The root of the repository; throws if it cannot be found.
std::filesystem::path source_root();

}  // namespace ota::domain::testing
