// Connections that asked once and stay: what a fleet's keep-alive clients are between their polls.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tools/benchmarks/load_connection.hpp"

namespace ota::bench {

class IdleConnections {
 public:
  // Opens so many to a port of 127.0.0.1, a thousand from each of several addresses, and asks on each
  // of them, with one request after the other. Throws std::runtime_error if this process may not have
  // as many files, or if an answer is not 200.
  IdleConnections(int port, std::size_t count, const std::vector<std::string>& requests);

  std::size_t count() const { return connections_.size(); }
  // Asks on each of them once more. Throws std::runtime_error if one is not open any more.
  void ask_again();

 private:
  void ask(std::size_t connection);

  const std::vector<std::string>& requests_;
  std::vector<std::unique_ptr<LoadConnection>> connections_;
};

}  // namespace ota::bench
