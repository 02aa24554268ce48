#include "tools/otactl/verify_place.hpp"

#include <stdexcept>

#include "tools/otactl/failure.hpp"

namespace ota::ctl {
namespace {

constexpr eventstore::Scratch::Names kVerifyNames{"otactl-verify-", "otactl-verify-"};

std::unique_ptr<eventstore::Scratch> place_beside(const std::filesystem::path& beside) {
  try {
    return std::make_unique<eventstore::Scratch>(beside, 0, kVerifyNames);
  } catch (const std::runtime_error& fault) {
    throw Failure(kExitFailed, fault.what());
  }
}

}  // namespace

VerifyPlace::VerifyPlace(const std::filesystem::path& beside) : made_(place_beside(beside)) {}

}  // namespace ota::ctl
