// What RocksDB fails at behind everybody's back: flushes, compactions, its list of tables.
//
// RocksDB answers such a fault by refusing writes, or by trying again for ever while writes pile up in memory; in both cases the
// service would go on for a while with a log that it can no longer keep. So whoever watches is told at once, on RocksDB's
// thread. A compaction that finds no room is the one exception: it only tidies up, nothing waits for it, and RocksDB
// tries again when there is room.
#pragma once

#include <rocksdb/listener.h>

#include <functional>
#include <mutex>
#include <string>

namespace ota::eventstore {

class BackgroundFaults final : public rocksdb::EventListener {
 public:
  // `what`: the name of the database for people.
  explicit BackgroundFaults(std::string what) : what_(std::move(what)) {}

  // Also of a fault that was before. When it returns, a call to the one before it has ended.
  void watch(std::function<void(const std::string& why)> on_fault);

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;

 private:
  const std::string what_;
  std::mutex mutex_;
  std::string fault_;
  std::function<void(const std::string& why)> on_fault_;
};

}  // namespace ota::eventstore
