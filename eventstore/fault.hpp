// Places where a test may stop the world: OTA_FAULT("journal.before_write").
//
// Without a hook a place costs one relaxed load. A hook is installed by a test of this process, or,
// for tests of the whole service, by the environment: OTA_FAULT="journal.after_write:3" kills the
// process (SIGKILL, exit 137) at the third passage of that place. Hooks run on the thread that
// passes, so they may block it; they must not throw.
#pragma once

#include <atomic>
#include <functional>
#include <string_view>

namespace ota::eventstore::fault {

using Hook = std::function<void(std::string_view name)>;

// Replaces the hook of this process; an empty one removes it. Safe from any thread.
void set_hook(Hook hook);

namespace detail {
extern std::atomic<bool> armed;
void pass(std::string_view name) noexcept;
}  // namespace detail

inline void point(std::string_view name) noexcept {
  if (detail::armed.load(std::memory_order_relaxed)) detail::pass(name);
}

}  // namespace ota::eventstore::fault

#define OTA_FAULT(name) ::ota::eventstore::fault::point(name)
