#include "eventstore/fault.hpp"

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>

namespace ota::eventstore::fault {
namespace {

std::mutex mutex;
std::shared_ptr<const Hook> hook;

Hook kill_at(std::string name, unsigned long count) {
  auto left = std::make_shared<std::atomic<unsigned long>>(count);
  return [name = std::move(name), left](std::string_view passed) {
    if (passed == name && left->fetch_sub(1) == 1) std::raise(SIGKILL);
  };
}

// Runs before main(), while there is one thread.
bool armed_by_environment() {
  const char* text = std::getenv("OTA_FAULT");  // NOLINT(concurrency-mt-unsafe)
  if (text == nullptr || *text == '\0') return false;
  const std::string_view value(text);
  const std::size_t colon = value.rfind(':');
  unsigned long count = 0;
  if (colon != std::string_view::npos) {
    std::from_chars(value.data() + colon + 1, value.data() + value.size(), count);
  }
  if (count == 0) {
    std::fprintf(stderr, "OTA_FAULT: \"%s\" is not \"name:count\" with a count of 1 or more\n",
                 text);
    std::_Exit(64);
  }
  hook = std::make_shared<const Hook>(kill_at(std::string(value.substr(0, colon)), count));
  return true;
}

}  // namespace

namespace detail {

std::atomic<bool> armed{armed_by_environment()};

void pass(std::string_view name) noexcept {
  std::shared_ptr<const Hook> current;
  {
    const std::lock_guard lock(mutex);
    current = hook;
  }
  if (current) (*current)(name);
}

}  // namespace detail

void set_hook(Hook next) {
  const std::lock_guard lock(mutex);
  hook = next ? std::make_shared<const Hook>(std::move(next)) : nullptr;
  detail::armed.store(hook != nullptr, std::memory_order_relaxed);
}

}  // namespace ota::eventstore::fault
