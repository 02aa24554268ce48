// Random choices that do not depend on the order in which things happen.
//
// Every choice is a function of (seed, device, action, purpose), so two runs with one seed choose
// the same failures, power cuts and delays, however the server and the network order their answers.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ota::sim {

class Choices {
 public:
  explicit Choices(std::uint64_t seed) : seed_(seed) {}

  // Answers 64 well mixed bits for this device, action (may be empty) and purpose.
  std::uint64_t bits(std::string_view device, std::string_view action,
                     std::string_view purpose) const;

  // Answers a number in [0, 1).
  double fraction(std::string_view device, std::string_view action, std::string_view purpose) const;

  // True with this probability; never for 0, always for 1.
  bool happens(double probability, std::string_view device, std::string_view action,
               std::string_view purpose) const;

  // Marks exactly min(count, number of candidates) devices: the lowest by hash, so that a larger
  // count only adds devices.
  std::vector<bool> pick(const std::vector<std::string>& devices,
                         const std::vector<bool>& candidates, std::size_t count,
                         std::string_view purpose) const;

 private:
  std::uint64_t seed_;
};

}  // namespace ota::sim
