// tools/otasim/fate: what goes wrong for a device during an action.
#include "tools/otasim/fate.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ota::sim;

namespace {

constexpr std::int64_t kSize = 1'000'000;

Fate fate_of(const FaultOptions& faults, int device, bool always_fails = false,
             std::int64_t size = kSize) {
  return decide_fate(faults, Choices{5}, fmt::format("d{}", device), "1000001", always_fails, size);
}

}  // namespace

TEST_CASE("without faults nothing goes wrong") {
  const Fate fate = fate_of({}, 1);
  CHECK_FALSE(fate.install_failure);
  CHECK(fate.cut == CutPlace::kNone);
  CHECK(fate.late_report == LatePlace::kNone);
}

TEST_CASE("a device that always fails fails without any failure rate") {
  CHECK(fate_of({}, 1, true).install_failure);
}

TEST_CASE("the failure code of the command line wins over the built-in ones") {
  FaultOptions faults;
  faults.fail_code = 99;
  CHECK(fate_of(faults, 1, true).install_failure->code == 99);
}

TEST_CASE("a power cut in the download lies inside of it, and less is stored than was received") {
  FaultOptions faults;
  faults.power_cut = 1;
  int in_download = 0;
  int in_install = 0;
  int after_install = 0;
  for (int device = 0; device < 3000; ++device) {
    const Fate fate = fate_of(faults, device);
    if (fate.cut == CutPlace::kInstall) ++in_install;
    if (fate.cut == CutPlace::kAfterInstall) ++after_install;
    if (fate.cut != CutPlace::kDownload) continue;
    ++in_download;
    CHECK(fate.cut_at_byte > 0);
    CHECK(fate.cut_at_byte < kSize);
    CHECK(fate.persisted_at_cut >= 0);
    CHECK(fate.persisted_at_cut <= fate.cut_at_byte);
    CHECK(fate.persisted_at_cut % 512 == 0);
  }
  CHECK(in_download > 900);
  CHECK(in_install > 900);
  CHECK(after_install > 900);
}

TEST_CASE("an install that fails is never cut after it was written") {
  FaultOptions faults;
  faults.power_cut = 1;
  for (int device = 0; device < 300; ++device)
    CHECK(fate_of(faults, device, true).cut != CutPlace::kAfterInstall);
}

TEST_CASE("an artifact of one byte is not cut in its download") {
  FaultOptions faults;
  faults.power_cut = 1;
  for (int device = 0; device < 300; ++device)
    CHECK(fate_of(faults, device, false, 1).cut != CutPlace::kDownload);
}
