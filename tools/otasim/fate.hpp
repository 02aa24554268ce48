// What will go wrong for one device during one action, decided before it begins. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tools/otasim/choice.hpp"
#include "tools/otasim/options.hpp"

namespace ota::sim {

enum class CutPlace { kNone, kDownload, kInstall, kAfterInstall };
std::string_view to_text(CutPlace place);

struct Failure {
  int code = 0;
  std::string text;
};

enum class LatePlace { kNone, kAfterProgress, kAfterEnd };

struct Fate {
  std::optional<Failure> install_failure;
  CutPlace cut = CutPlace::kNone;
  std::int64_t cut_at_byte = 0;       // of the first artifact; kDownload
  std::int64_t persisted_at_cut = 0;  // what the flash then holds of it, <= cut_at_byte
  double cut_at_fraction = 0;         // of the install; kInstall
  LatePlace late_report = LatePlace::kNone;
  std::uint64_t late_choice = 0;  // which of the earlier reports
};

// Decides for a device, its action and the size of the first artifact (0: none). A device that
// fails never has its power cut after the install, since its install is never written.
Fate decide_fate(const FaultOptions& faults, const Choices& choices, std::string_view device,
                 std::string_view action, bool always_fails, std::int64_t artifact_size);

}  // namespace ota::sim
