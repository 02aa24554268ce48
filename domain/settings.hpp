// What an operator of the service sets once and every decision takes as data.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "domain/ids.hpp"
#include "domain/words.hpp"

namespace ota::domain {

struct Settings {
  Duration poll_sleep = std::chrono::minutes(5);            // ddi.sleep
  Duration retry_backoff_base = std::chrono::minutes(1);    // retry.backoff_base
  Duration retry_backoff_max = std::chrono::minutes(60);
  Duration success_grace = std::chrono::minutes(15);        // ddi.success_grace
  Duration cancel_patience_max = std::chrono::minutes(15);  // decision 24
  ActionId first_action{1'000'001};                         // ddi.first_action_id
  std::string version_attribute = "firmware_version";       // ddi.version_attribute
};

// What folding a device depends on beside its events: whatever was folded with other values is folded again.
std::string fold_settings(const Settings& settings);

// What a decision may know beside the state and the command.
struct Context {
  Time now;
  Caller caller;
  const Settings& settings;
};

// How long a granted device may take to fetch its offer: min(timeout, max(5 min, 3 x its sleep)) (decision 7).
Duration start_patience(Duration timeout, Duration poll_sleep);

}  // namespace ota::domain
