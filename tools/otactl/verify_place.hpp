// Where a backup is restored to while it is verified: a directory beside the backups that goes when it is done.
#pragma once

#include <filesystem>

namespace ota::ctl {

// "otactl-verify-" and six characters, in `beside`, or among the temporary files where nothing can be made there. Held by a lock, so
// that what an earlier one left that was killed goes, and what another process is reading stays; on a file system without locks nothing
// goes but its own. Throws Failure.
class VerifyPlace {
 public:
  explicit VerifyPlace(const std::filesystem::path& beside);
  ~VerifyPlace();
  VerifyPlace(const VerifyPlace&) = delete;
  VerifyPlace& operator=(const VerifyPlace&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace ota::ctl
