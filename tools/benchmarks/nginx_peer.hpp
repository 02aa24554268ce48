// nginx as a peer: a process of its own (roles.hpp) and the files that it serves.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tools/benchmarks/roles.hpp"

namespace ota::bench {

class NginxPeer {
 public:
  // `directory` is its own. It listens when this returns.
  explicit NginxPeer(const std::filesystem::path& directory)
      : files_(directory / "www"), role_(kNginxRole, make(directory)) {}

  int port() const { return role_.port; }

  // Serves a text under /text/name.
  void add_text(const std::string& name, std::string_view text) {
    std::ofstream file(files_ / "text" / name, std::ios::binary);
    file << text;
    if (!file.flush()) throw std::runtime_error("cannot write " + name);
  }
  // Serves a file that is there already under /name, the very same on the same disk.
  void add_file(const std::string& name, const std::filesystem::path& file) {
    std::filesystem::create_hard_link(file, files_ / name);
  }

 private:
  static std::string make(const std::filesystem::path& directory) {
    std::filesystem::create_directories(directory / "www" / "text");
    return directory.string();
  }

  std::filesystem::path files_;
  Role role_;
};

}  // namespace ota::bench
