#include "tools/benchmarks/synced_puts.hpp"

#include <rocksdb/db.h>

#include <atomic>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tools/benchmarks/stopwatch.hpp"

namespace ota::bench {
namespace {

std::string random_text(std::size_t bytes) {
  std::minstd_rand random(1);
  std::string text(bytes, '\0');
  for (char& byte : text) byte = static_cast<char>(random() >> 8 & 0xff);
  return text;
}

}  // namespace

double synced_puts_per_second(const std::filesystem::path& directory, const SyncedPuts& load) {
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, directory.string(), &opened);
  if (!status.ok()) throw std::runtime_error("the peer of the reports: " + status.ToString());
  const std::unique_ptr<rocksdb::DB> database(opened);
  const std::string value = random_text(load.value_bytes);
  std::atomic<std::uint64_t> puts{0};
  std::atomic<bool> stop{false};
  std::atomic<bool> failed{false};
  std::vector<std::thread> threads;
  const Stopwatch stopwatch;
  for (std::size_t i = 0; i < load.threads; ++i) {
    threads.emplace_back([&] {
      rocksdb::WriteOptions how;
      how.sync = true;
      while (!stop) {
        const std::uint64_t key = __builtin_bswap64(puts.fetch_add(1));
        const rocksdb::Slice bytes(reinterpret_cast<const char*>(&key), sizeof key);
        if (!database->Put(how, bytes, value).ok()) failed = true;
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(load.seconds));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  const double seconds = stopwatch.seconds();
  if (failed) throw std::runtime_error("the peer of the reports could not write");
  return static_cast<double>(puts) / seconds;
}

}  // namespace ota::bench
