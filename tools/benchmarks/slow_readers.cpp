#include "tools/benchmarks/slow_readers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace ota::bench {
namespace {

constexpr std::chrono::milliseconds kTick{250};
// For a tick's bytes, and not many more: the kernel is not to read ahead for a device that does not.
constexpr int kReceiveBufferBytes = 64 * 1024;
constexpr double kPaceMin = 0.8;  // of what was wanted, on average
constexpr int kStatusOk = 200;

}  // namespace

SlowReaders::SlowReaders(const SlowReading& reading)
    : wanted_bytes_per_s_(static_cast<double>(reading.bytes_per_s)) {
  ConnectionOptions options;
  options.kept_body_bytes = 0;
  options.receive_buffer_bytes = kReceiveBufferBytes;
  options.read_bytes = reading.bytes_per_s * static_cast<std::size_t>(kTick.count()) / 1'000;
  for (const std::string& path : reading.paths) {
    requests_.push_back(fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path));
    connections_.push_back(std::make_unique<LoadConnection>(reading.port, options));
  }
  for (std::size_t i = 0; i < requests_.size(); ++i) connections_[i]->send(requests_[i]);
  thread_ = std::thread([this] { read_on(); });
}

SlowReaders::~SlowReaders() {
  stop_ = true;
  thread_.join();
}

void SlowReaders::read_on() {
  auto due = std::chrono::steady_clock::now();
  for (; !stop_; due += kTick) {
    std::this_thread::sleep_until(due);
    for (auto& connection : connections_) {
      if (!connection) continue;
      const std::size_t before = connection->body_bytes_read();
      bool going_on = false;
      try {
        going_on = !connection->go_on() &&
                   (connection->status() == 0 || connection->status() == kStatusOk);
        bytes_ += connection->body_bytes_read() - before;
      } catch (const std::runtime_error&) {
      }
      if (going_on) continue;
      connection.reset();
      ++ended_;
    }
  }
}

double SlowReaders::bytes_per_s_each() const {
  if (ended_ > 0) throw std::runtime_error(fmt::format("{} slow downloads were refused or have ended", ended_));
  // A tick's bytes are on their way.
  const double tick = std::chrono::duration<double>(kTick).count();
  const double seconds = std::max(stopwatch_.seconds() - tick, tick);
  const double each = static_cast<double>(bytes_) / seconds / static_cast<double>(requests_.size());
  if (each < kPaceMin * wanted_bytes_per_s_) {
    throw std::runtime_error(fmt::format("slow downloads got {:.0f} bytes/s each, not {:.0f}", each, wanted_bytes_per_s_));
  }
  return each;
}

}  // namespace ota::bench
