// Where a backup is restored to while it is verified: a directory beside the backups that goes when it is done.
#pragma once

#include <filesystem>
#include <memory>

#include "eventstore/scratch.hpp"

namespace ota::ctl {

// "otactl-verify-" and six characters, in `beside`, or among the temporary files where nothing can be made there. What an
// earlier one left that was killed goes, and what another process is reading stays (scratch.hpp). Throws Failure.
class VerifyPlace {
 public:
  explicit VerifyPlace(const std::filesystem::path& beside);
  const std::filesystem::path& path() const { return made_->path(); }

 private:
  std::unique_ptr<eventstore::Scratch> made_;
};

}  // namespace ota::ctl
