// Waits for a signal and has something done from time to time meanwhile, on the thread that waits.
#pragma once

#include <signal.h>

#include <chrono>
#include <functional>

namespace ota::tools {

// Returns the signal of `signals` that came; the calling thread must have blocked them. Calls
// `work` whenever it has waited for `every`. An exception of `work` ends the wait.
// SIGHUP, if it is among them, ends no wait: it has `hung_up` called.
int wait_for_signal(const sigset_t& signals, std::chrono::milliseconds every, const std::function<void()>& work,
                    const std::function<void()>& hung_up = {});

}  // namespace ota::tools
