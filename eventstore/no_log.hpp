// RocksDB's words for people go nowhere: where a directory is to be left as it is.
#pragma once

#include <rocksdb/env.h>

#include <memory>

namespace ota::eventstore {

class NoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};
inline std::shared_ptr<rocksdb::Logger> no_log() { return std::make_shared<NoLog>(); }

}  // namespace ota::eventstore
