// What is inside a Log: for the Log's readers and the Journal only.
#pragma once

#include <atomic>
#include <memory>

#include "eventstore/database.hpp"
#include "eventstore/log.hpp"

namespace ota::eventstore {

struct Log::Impl {
  std::shared_ptr<Head> head = std::make_shared<Head>();  // shared with RocksDB's compactions
  std::unique_ptr<Database> database;
  std::atomic<bool> has_journal{false};  // one writer
  bool is_read_only = false;
  bool is_set_back = false;
};

}  // namespace ota::eventstore
