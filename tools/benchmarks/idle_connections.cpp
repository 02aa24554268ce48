#include "tools/benchmarks/idle_connections.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "http/listener.hpp"

namespace ota::bench {
namespace {

constexpr std::size_t kOwnFiles = 1'000;    // the load beside them, and everything else
constexpr std::size_t kOfAnAddress = 1'000;  // connections; one has 28,000 ephemeral ports

}  // namespace

IdleConnections::IdleConnections(int port, std::size_t count,
                                 const std::vector<std::string>& requests)
    : requests_(requests) {
  if (const auto allowed = http::raise_file_limit(count + kOwnFiles); allowed < count + kOwnFiles) {
    throw std::runtime_error(fmt::format("{} connections need as many open files, {} are allowed (ulimit -Hn)",
                                         count, allowed));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const ConnectionOptions options{.from = static_cast<std::uint8_t>(2 + i / kOfAnAddress % 250)};
    connections_.push_back(std::make_unique<LoadConnection>(port, options));
    ask(i);
  }
}

void IdleConnections::ask_again() {
  for (std::size_t i = 0; i < connections_.size(); ++i) ask(i);
}

void IdleConnections::ask(std::size_t connection) {
  LoadConnection& asked = *connections_[connection];
  asked.ask(requests_[connection % requests_.size()]);
  if (asked.status() != 200) {
    throw std::runtime_error(fmt::format("connection {} was answered {}", connection, asked.status()));
  }
}

}  // namespace ota::bench
