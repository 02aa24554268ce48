// Rows of a bulk rebuild: kept in memory, and from time to time written as sorted tables that RocksDB takes as they are.
//
// What makes a rebuild slow otherwise is the search for each row's place in memory. Whatever is written at a time ends with a
// commit, so it holds the position that its rows are at; both families are taken in one step. A thread sorts and writes it while
// the next rows gather; reads find a row in what gathers, in what was written last, or in the database.
#pragma once

#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "projections/database.hpp"
#include "projections/row_memory.hpp"

namespace ota::projections {

class BulkRows {
 public:
  // Writes to disk when its rows take so many bytes of memory; what is being written takes as many.
  BulkRows(Database& database, std::size_t bytes_max);
  ~BulkRows();
  BulkRows(const BulkRows&) = delete;
  BulkRows& operator=(const BulkRows&) = delete;

  RowMemory::Found find(std::string_view key, std::string& value) const;
  void put(std::string_view key, std::string_view value) { gathering_->put(key, value); }
  void erase(std::string_view key) { gathering_->erase(key); }
  // The rows so far belong together. Throws std::runtime_error if earlier ones cannot be written, and from then on: nothing is
  // written behind a hole.
  void commit();
  // Everything that was committed is in the database when this returns. Throws std::runtime_error if it cannot be.
  void finish();

 private:
  void begin_writing();
  void end_writing();
  void expect_whole() const;
  void write(const RowMemory& rows) const;

  Database& database_;
  const std::size_t bytes_max_;
  const std::filesystem::path directory_;
  std::unique_ptr<RowMemory> gathering_ = std::make_unique<RowMemory>();
  std::unique_ptr<const RowMemory> written_;   // or being written: until the next, what is read again is mostly found here
  std::thread writer_;
  std::exception_ptr failure_;
};

}  // namespace ota::projections
