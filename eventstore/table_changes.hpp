// Tells when RocksDB has written tables, and its list of them, behind everybody's back.
#pragma once

#include <rocksdb/listener.h>

#include <functional>
#include <mutex>
#include <utility>

namespace ota::eventstore {

class TableChanges final : public rocksdb::EventListener {
 public:
  // `on_change` is called on RocksDB's threads. When it returns, a call to the one before it has ended.
  void watch(std::function<void()> on_change) {
    const std::lock_guard lock(mutex_);
    on_change_ = std::move(on_change);
  }

  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo&) override { tell(); }
  void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo&) override { tell(); }

 private:
  void tell() {
    const std::lock_guard lock(mutex_);
    if (on_change_) on_change_();
  }

  std::mutex mutex_;
  std::function<void()> on_change_;
};

}  // namespace ota::eventstore
