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
      : files_(make(directory / "www")), role_(kNginxRole, directory.string()) {}

  int port() const { return role_.port; }

  // Serves a text under /name.
  void add_text(const std::string& name, std::string_view text) {
    std::ofstream file(files_ / name, std::ios::binary);
    file << text;
    if (!file.flush()) throw std::runtime_error("cannot write " + (files_ / name).string());
  }
  // Serves a file that is there already, the very same on the same disk.
  void add_file(const std::string& name, const std::filesystem::path& file) {
    std::filesystem::create_hard_link(file, files_ / name);
  }

 private:
  static std::filesystem::path make(const std::filesystem::path& directory) {
    std::filesystem::create_directories(directory);
    return directory;
  }

  std::filesystem::path files_;
  Role role_;
};

}  // namespace ota::bench
