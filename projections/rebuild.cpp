#include "projections/rebuild.hpp"

#include <fmt/format.h>
#include <rocksdb/env.h>

#include <stdexcept>

#include "projections/decoded.hpp"
#include "projections/pipeline.hpp"
#include "projections/row_folders.hpp"
#include "projections/schema.hpp"
#include "projections/successor.hpp"

namespace ota::projections {
namespace {

// Rows that nobody has open, and nobody opens meanwhile.
class AtRest {
 public:
  explicit AtRest(const std::filesystem::path& folder) {
    if (!std::filesystem::exists(folder / "CURRENT")) {
      throw std::runtime_error(fmt::format("there are no views in {}: a service builds them at its start", folder.string()));
    }
    const auto status = rocksdb::Env::Default()->LockFile((folder / "LOCK").string(), &lock_);
    if (status.ok()) return;
    if (is_held(status.ToString())) {
      throw std::runtime_error(fmt::format("the views in {} are in use; stop the service, or ask it: {}", folder.string(),
                                           status.ToString()));
    }
    throw std::runtime_error(fmt::format("the views in {} cannot be locked, so nothing is done with them: {}", folder.string(),
                                         status.ToString()));
  }
  ~AtRest() { (void)rocksdb::Env::Default()->UnlockFile(lock_); }
  AtRest(const AtRest&) = delete;
  AtRest& operator=(const AtRest&) = delete;

 private:
  // By another process, or by this one; not a lock that may not be opened. RocksDB has no code that tells them apart.
  static bool is_held(const std::string& why) {
    return why.find("While lock file") != std::string::npos || why.find("lock hold by current process") != std::string::npos;
  }

  rocksdb::FileLock* lock_ = nullptr;
};

domain::Settings settings_of(const Reader& rows, const std::filesystem::path& folder) {
  rocksdb::PinnableSlice schema;
  const auto settings = rows.get(meta_key(kSchemaRow), schema) ? settings_in(view(schema)) : std::nullopt;
  if (!settings) {
    throw std::runtime_error(fmt::format("the views in {} are of another version; a service of this one builds them anew at its start",
                                         folder.string()));
  }
  return *settings;
}

}  // namespace

std::optional<Comparison> verify_at_rest(const std::filesystem::path& directory, const eventstore::Log& log,
                                         const RebuildProgress& go_on) {
  const RowFolders folders(directory);
  const auto folder = folders.current();
  const AtRest at_rest(folder);
  folders.delete_others();
  const auto database = Database::open_read_only(folder);
  const Reader rows(*database);
  const auto at = Pipeline::progress_in(rows).position;
  if (at > to_domain(log.head())) {
    throw std::runtime_error(
        fmt::format("the views in {} have seen event {}, but the log ends at {}", folder.string(), at.value, log.head().value));
  }
  Successor next(folders.vacant(), settings_of(rows, folder));
  if (!next.catch_up(log, go_on, at)) return std::nullopt;
  auto found = compare(rows, Reader(next.edition().database()), [&] { return go_on(at.value, at.value); });
  if (found) found->position = at;
  return found;
}

bool rebuild_at_rest(const std::filesystem::path& directory, const eventstore::Log& log, const RebuildProgress& go_on) {
  const RowFolders folders(directory);
  const auto folder = folders.current();
  {
    const AtRest at_rest(folder);
    folders.delete_others();
    const auto settings = settings_of(Reader(*Database::open_read_only(folder)), folder);
    PollFront front;
    Successor next(folders.vacant(), settings);
    if (!next.catch_up(log, go_on)) return false;
    folders.make_current(next.release(front)->folder());
  }
  folders.delete_others();
  return true;
}

}  // namespace ota::projections
