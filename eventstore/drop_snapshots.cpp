#include "eventstore/drop_snapshots.hpp"

#include <fmt/format.h>
#include <rocksdb/write_batch.h>

#include <memory>
#include <stdexcept>

#include "eventstore/database.hpp"
#include "eventstore/database_options.hpp"

namespace ota::eventstore {
namespace {

constexpr std::uint32_t kDroppedAtOnce = 10'000;

}  // namespace

DroppedSnapshots drop_snapshots(const std::filesystem::path& directory) {
  if (!std::filesystem::exists(directory / "CURRENT")) {
    throw std::runtime_error(fmt::format("the directory {} holds no event log", directory.string()));
  }
  const auto database = Database::open(directory, std::make_shared<Head>(), nullptr);
  if (!database->shortfall().empty()) throw std::runtime_error(database->shortfall());
  DroppedSnapshots dropped;
  if (const auto& tail = database->torn_tail()) dropped.torn_tail = tail->text();
  rocksdb::WriteBatch batch;
  const auto write = [&] {
    check(database->db().Write(durable_write(), &batch), "drop its snapshots");
    batch.Clear();
  };
  const auto rows = database->iterate(Family::kSnapshots, /*fill_cache=*/false);
  for (rows->SeekToFirst(); rows->Valid(); rows->Next(), ++dropped.count) {
    check(batch.Delete(database->family(Family::kSnapshots), rows->key()), "drop its snapshots");
    if (batch.Count() >= kDroppedAtOnce) write();
  }
  check(rows->status(), "read its snapshots");
  write();
  return dropped;
}

}  // namespace ota::eventstore
