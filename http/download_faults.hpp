// Why did a download fail? What a device says of it, and what was seen of its downloads here (decision 8).
//
// A failure counts against an update unless it was no fault of its own: `service`, if we could not give the device its
// bytes; `transport`, if the network broke off. Both only while the device is still to have the bytes: what fails behind
// that is the device's. What was seen is kept in memory, for the present action of at most kDevicesMax devices, and
// forgotten when a download of it completes. Safe from any thread.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "domain/update/update.hpp"

namespace ota::http {

class DownloadFaults {
 public:
  enum class Fault { kBrokenOff, kOurs };
  struct Seen {
    domain::ActionId action;
    Fault fault = Fault::kBrokenOff;
    std::string what;                       // in a sentence
  };

  // What is ours is not made less by what breaks off afterwards.
  void note(const std::string& device, Seen seen);
  // It has its bytes, or its action is over.
  void forget(const std::string& device, domain::ActionId action);
  // Of this very action.
  std::optional<Seen> find(const std::string& device, domain::ActionId action) const;
  std::size_t size() const;

  // As many as fail at once when the store or the network does; of more, some are forgotten.
  static constexpr std::size_t kDevicesMax = 10'000;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Seen> seen_;
};

// The kind that a line of a report names: transport or service; empty: the line is about neither.
std::optional<domain::FailureKind> kind_in_words(std::string_view line);

// Gives a failure its kind, and code and message where the device gave none. `status`: of its update so far.
// - What was ours is `service`, whatever the device says of it.
// - The last line of its words decides, if that names the network or an answer of a server.
// - A download that broke off here is `transport` if the device gives no reason of its own, or names the network in any
//   line: clients break off too when they find that they cannot use what comes.
void name_kind(domain::Report& report, domain::UpdateStatus status, const std::optional<DownloadFaults::Seen>& seen);

}  // namespace ota::http
