// When a device was here last, by its ordinal.
#include "http/last_seen.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <fstream>
#include <thread>
#include <vector>

namespace ota::http {
namespace {

domain::Time moment(std::int64_t us) { return domain::Time(domain::Duration(us)); }

TEST_CASE("the last time and address of each device are kept, and those of others are not touched") {
  LastSeen seen(moment(1));
  CHECK(seen.since() == moment(1));
  CHECK_FALSE(seen.find({0}));
  seen.note({0}, moment(10), "192.0.2.7");
  seen.note({LastSeen::kPieceDevices}, moment(20), "2001:db8::1");
  seen.note({1}, moment(30), "somewhere");
  CHECK(seen.find({0})->at == moment(10));
  CHECK(seen.find({0})->address == "192.0.2.7");
  CHECK(seen.find({LastSeen::kPieceDevices})->address == "2001:db8::1");
  CHECK(seen.find({1})->address.empty());
  CHECK_FALSE(seen.find({2}));
  CHECK_FALSE(seen.find({LastSeen::kPieceDevices + 1}));
  seen.note({0}, moment(40), "::1");
  CHECK(seen.find({0})->at == moment(40));
  CHECK(seen.find({0})->address == "::1");
}

TEST_CASE("an ordinal beyond the table is not kept, and does no harm") {
  LastSeen seen(moment(1));
  seen.note({LastSeen::kDevicesMax}, moment(10), "192.0.2.7");
  CHECK_FALSE(seen.find({LastSeen::kDevicesMax}));
  seen.note({LastSeen::kDevicesMax - 1}, moment(10), "192.0.2.7");
  CHECK(seen.find({LastSeen::kDevicesMax - 1}));
}

TEST_CASE("many threads may see devices at once") {
  LastSeen seen(moment(1));
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&seen, t] {
      for (std::uint32_t n = t; n < 40'000; n += 4) seen.note({n}, moment(1 + n), "192.0.2.7");
    });
  }
  for (auto& thread : threads) thread.join();
  std::uint32_t found = 0;
  for (std::uint32_t n = 0; n < 40'000; ++n) found += seen.find({n}) && seen.find({n})->at == moment(1 + n) ? 1 : 0;
  CHECK(found == 40'000);
}

struct Kept {
  std::filesystem::path file = std::filesystem::temp_directory_path() / ("last_seen_" + std::to_string(::getpid()));
  ~Kept() { std::filesystem::remove(file); }
  void keep(std::uint64_t head) const {
    LastSeen seen(moment(1));
    seen.note({0}, moment(10), "192.0.2.7");
    seen.note({LastSeen::kPieceDevices + 5}, moment(20), "2001:db8::1");
    seen.keep(file, head);
  }
};

TEST_CASE("design 6: when devices were here last survives a clean stop, once") {
  const Kept kept;
  kept.keep(77);
  LastSeen next(moment(100));
  CHECK(next.take_up(kept.file, 78));
  CHECK(next.since() == moment(1));
  CHECK(next.find({0})->at == moment(10));
  CHECK(next.find({0})->address == "192.0.2.7");
  CHECK(next.find({LastSeen::kPieceDevices + 5})->address == "2001:db8::1");
  CHECK_FALSE(next.find({1}));
  // A crash later finds nothing that has been outdated since.
  LastSeen after_crash(moment(200));
  CHECK_FALSE(after_crash.take_up(kept.file, 78));
  CHECK(after_crash.since() == moment(200));
}

TEST_CASE("what was kept of a longer log, or is damaged, is not taken up") {
  const Kept kept;
  LastSeen next(moment(100));
  kept.keep(77);
  CHECK_FALSE(next.take_up(kept.file, 76));   // the log is another one: a backup was put back
  for (const std::uintmax_t size : {0U, 31U, 32U, 95U}) {
    kept.keep(77);
    std::filesystem::resize_file(kept.file, size);
    CHECK_FALSE(next.take_up(kept.file, 77));
  }
  std::ofstream(kept.file) << std::string(96, 'x');
  CHECK_FALSE(next.take_up(kept.file, 77));
  CHECK(next.since() == moment(100));
  CHECK_FALSE(next.find({0}));
}

}  // namespace
}  // namespace ota::http
