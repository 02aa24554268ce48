#include "projections/bulk_rows.hpp"

#include <rocksdb/sst_file_writer.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "projections/row_folders.hpp"

namespace ota::projections {
namespace {

// The rows of one family as a table; false if it has none.
bool write_table(const Database& database, rocksdb::ColumnFamilyHandle* family, const std::vector<RowMemory::Row>& rows,
                 const std::filesystem::path& file) {
  rocksdb::SstFileWriter table(rocksdb::EnvOptions(), database.db().GetOptions(family), family);
  bool open = false;
  for (const auto& row : rows) {
    if (database.family(row.key) != family) continue;
    if (!std::exchange(open, true)) check(table.Open(file.string()), "write a table");
    check(row.gone ? table.Delete(slice(row.key)) : table.Put(slice(row.key), slice(row.value)), "write a table");
  }
  if (open) check(table.Finish(), "write a table");
  return open;
}

}  // namespace

BulkRows::BulkRows(Database& database, std::size_t bytes_max)
    : database_(database), bytes_max_(bytes_max), directory_(RowFolders::bulk_beside(database.db().GetName())) {
  std::filesystem::remove_all(directory_);
  std::filesystem::create_directories(directory_);
}

BulkRows::~BulkRows() {
  if (writer_.joinable()) writer_.join();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

RowMemory::Found BulkRows::find(std::string_view key, std::string& value) const {
  const auto found = gathering_->find(key, value);
  if (found != RowMemory::Found::kNothing || !written_) return found;
  return written_->find(key, value);
}

void BulkRows::commit() {
  expect_whole();
  if (gathering_->bytes() < bytes_max_) return;
  end_writing();
  begin_writing();
}

void BulkRows::finish() {
  expect_whole();
  end_writing();
  begin_writing();
  end_writing();
}

void BulkRows::begin_writing() {
  if (gathering_->empty()) return;
  written_ = std::exchange(gathering_, std::make_unique<RowMemory>());
  writer_ = std::thread([this] {
    try {
      write(*written_);
    } catch (...) {
      failure_ = std::current_exception();
    }
  });
}

void BulkRows::end_writing() {
  if (!writer_.joinable()) return;
  writer_.join();
  expect_whole();
}

// What was not written is missing for ever: rows behind it, with a newer position, would say that it is there.
void BulkRows::expect_whole() const {
  if (!writer_.joinable() && failure_) std::rethrow_exception(failure_);
}

void BulkRows::write(const RowMemory& rows) const {
  const auto sorted = rows.sorted();
  std::vector<rocksdb::IngestExternalFileArg> tables;
  for (auto* family : database_.families()) {
    const auto file = directory_ / (family->GetName() + ".sst");
    if (!write_table(database_, family, sorted, file)) continue;
    rocksdb::IngestExternalFileArg table;
    table.column_family = family;
    table.external_files = {file.string()};
    table.options.move_files = true;
    table.options.failed_move_fall_back_to_copy = true;
    table.options.snapshot_consistency = false;  // nobody reads meanwhile
    tables.push_back(std::move(table));
  }
  check(database_.db().IngestExternalFiles(tables), "take a table");
}

}  // namespace ota::projections
