#include "tools/benchmarks/memory_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string>

namespace ota::bench {
namespace {

constexpr std::chrono::milliseconds kLookEvery{10};

// 0: the process is gone.
std::uint64_t anonymous_bytes(pid_t process) {
  constexpr std::string_view kName = "RssAnon:";
  std::ifstream status(fmt::format("/proc/{}/status", process));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(kName)) return std::stoull(line.substr(kName.size())) * 1'024;
  }
  return 0;
}

}  // namespace

MemoryWatch::MemoryWatch(pid_t process)
    : process_(process), first_bytes_(anonymous_bytes(process)), peak_bytes_(first_bytes_) {
  if (first_bytes_ == 0) {
    throw std::runtime_error(fmt::format("the memory of process {} cannot be read", process));
  }
  thread_ = std::thread([this] { sample(); });
}

MemoryWatch::~MemoryWatch() {
  stop_ = true;
  thread_.join();
}

void MemoryWatch::sample() {
  while (!stop_) {
    peak_bytes_ = std::max(peak_bytes_.load(), anonymous_bytes(process_));
    std::this_thread::sleep_for(kLookEvery);
  }
}

std::uint64_t MemoryWatch::growth_bytes() const { return peak_bytes_ - first_bytes_; }

}  // namespace ota::bench
