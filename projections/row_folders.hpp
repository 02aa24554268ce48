// Which folder of the views' directory holds the rows that are shown.
//
// Views that are rebuilt have a folder of their own beside the others, since an open database cannot be renamed. The file
// `current` names the one that counts; without it that is `rows`. It is replaced by a rename, so a power cut leaves the old
// name or the new one. Every other folder of rows is half built or outlived, and goes at the next start.
#pragma once

#include <filesystem>

namespace ota::projections {

class RowFolders {
 public:
  explicit RowFolders(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::filesystem::path current() const;
  // For rows that are still to be built: not there yet.
  std::filesystem::path vacant() const;
  // Where a bulk rebuild of a folder of rows keeps its tables until they are taken.
  static std::filesystem::path bulk_beside(const std::filesystem::path& rows) { return rows.parent_path() / "bulk"; }
  // From the next start on, whatever happens from now. Throws std::runtime_error with a sentence for people.
  void make_current(const std::filesystem::path& folder) const;
  // Deletes what no start would take. Nobody may have it open. Throws std::runtime_error as above.
  void delete_others() const;

 private:
  std::filesystem::path directory_;
};

}  // namespace ota::projections
