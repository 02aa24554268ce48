#include "tools/otasim/fate.hpp"

#include <algorithm>
#include <array>

namespace ota::sim {
namespace {

// Flash is written in blocks: what was received of an unfinished block is lost with the power.
constexpr std::int64_t kFlashBlockBytes = 512;

struct KnownFailure {
  int code;
  const char* text;
};
constexpr std::array<KnownFailure, 3> kFailures{{
    {31, "flash write error on slot B"},
    {42, "post-install script ended with status 1"},
    {57, "new image did not boot, fell back"},
}};

void plan_cut(Fate& fate, const Choices& choices, std::string_view device, std::string_view action,
              std::int64_t artifact_size) {
  constexpr std::array kPlaces{CutPlace::kDownload, CutPlace::kInstall, CutPlace::kAfterInstall};
  fate.cut = kPlaces[choices.bits(device, action, "cut-place") % kPlaces.size()];
  if (fate.cut == CutPlace::kAfterInstall && fate.install_failure) fate.cut = CutPlace::kInstall;
  if (fate.cut == CutPlace::kDownload && artifact_size < 2) fate.cut = CutPlace::kInstall;
  fate.cut_at_fraction = choices.fraction(device, action, "cut-install");
  // Somewhere inside: neither before the first byte nor behind the last.
  const auto inside = static_cast<double>(artifact_size - 1);
  fate.cut_at_byte =
      1 + static_cast<std::int64_t>(choices.fraction(device, action, "cut-byte") * inside);
  fate.cut_at_byte =
      std::clamp<std::int64_t>(fate.cut_at_byte, 1, std::max<std::int64_t>(1, artifact_size - 1));
  const double kept = choices.fraction(device, action, "cut-kept");
  fate.persisted_at_cut = static_cast<std::int64_t>(kept * static_cast<double>(fate.cut_at_byte)) /
                          kFlashBlockBytes * kFlashBlockBytes;
}

}  // namespace

std::string_view to_text(CutPlace place) {
  switch (place) {
    case CutPlace::kNone:
      return "none";
    case CutPlace::kDownload:
      return "download";
    case CutPlace::kInstall:
      return "install";
    case CutPlace::kAfterInstall:
      return "after_install";
  }
  return "";
}

Fate decide_fate(const FaultOptions& faults, const Choices& choices, std::string_view device,
                 std::string_view action, bool always_fails, std::int64_t artifact_size) {
  Fate fate;
  if (always_fails || choices.happens(faults.failure_rate, device, action, "install-fails")) {
    const auto& known = kFailures[choices.bits(device, action, "failure") % kFailures.size()];
    fate.install_failure =
        Failure{faults.fail_code > 0 ? faults.fail_code : known.code, known.text};
  }
  if (choices.happens(faults.power_cut, device, action, "power-cut"))
    plan_cut(fate, choices, device, action, artifact_size);
  if (choices.happens(faults.late_reports, device, action, "late-report"))
    fate.late_report = choices.fraction(device, action, "late-place") < 0.5
                           ? LatePlace::kAfterProgress
                           : LatePlace::kAfterEnd;
  fate.late_choice = choices.bits(device, action, "late-choice");
  return fate;
}

}  // namespace ota::sim
