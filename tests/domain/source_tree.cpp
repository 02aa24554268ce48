#include "tests/domain/source_tree.hpp"

#include <stdexcept>

namespace ota::domain::testing {
namespace {

namespace fs = std::filesystem;

bool is_root(const fs::path& path) { return fs::exists(path / "tests/domain/source_tree.cpp"); }

}  // namespace

// As compiled the path is absolute, unless a compiler cache made it relative to the build's folder,
// which is the working directory or above it.
fs::path source_root() {
  const fs::path compiled = fs::path(__FILE__).parent_path().parent_path().parent_path();
  if (compiled.is_absolute() && is_root(compiled)) return compiled;
  for (fs::path above = fs::current_path();; above = above.parent_path()) {
    if (is_root(above)) return above;
    if (is_root(above / compiled)) return above / compiled;
    if (above == above.parent_path()) break;
  }
  throw std::runtime_error("the sources are neither at " + compiled.string() + " nor above " +
                           fs::current_path().string());
}

}  // namespace ota::domain::testing
