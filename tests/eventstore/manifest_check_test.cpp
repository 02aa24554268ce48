// A list of tables that is damaged, on the disk or on the way from it: a start is refused, or loses nothing, and changes nothing.
#include "eventstore/manifest_check.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "eventstore/durable_files.hpp"
#include "eventstore/wal_file.hpp"
#include "faulty_store.hpp"
#include "tests/processes/child_process.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kEvents = 300;

// A log of which most is in tables, and names likewise.
class Listed {
 public:
  Listed() {
    for (int life = 0; life < 3; ++life) {
      for (std::uint64_t i = 0; i < kEvents / 3; ++i) store_.journal->append(append("s" + std::to_string(i % 5), {"t"}, std::to_string(i)), {});
      // More than the memory for snapshots: everything goes to tables, in several edits of the list.
      wait_for_all(*store_.journal);
      store_.journal->put_snapshot("s1", store_.log->head(), std::string(std::size_t{9} << 20, 'x'));
      wait_for_all(*store_.journal);
      store_.close();
      store_.open();
    }
    store_.close();
  }
  const fs::path& directory() const { return store_.directory.path(); }
  FaultyFiles& files() { return *store_.files; }

  // Why it does not open; empty: it does.
  std::string refusal() {
    try {
      store_.open();
    } catch (const std::runtime_error& error) {
      store_.close();
      return error.what();
    }
    return "";
  }
  void check_all_there() {
    if (!store_.log) store_.open();
    std::uint64_t found = 0;
    store_.log->scan({}, [&](const RecordedEvent&) { return ++found > 0; });
    CHECK(found == kEvents);
    store_.close();
  }
  fs::path manifest() const {
    auto name = read_file(directory() / "CURRENT", 0);
    name.pop_back();
    return directory() / name;
  }

 private:
  FaultyStore store_;
};

std::map<std::string, std::uintmax_t> tables_in(const fs::path& directory) {
  std::map<std::string, std::uintmax_t> tables;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".sst") tables[entry.path().filename()] = entry.file_size();
  }
  return tables;
}

}  // namespace

TEST_CASE("a list of tables with a bit that has turned is refused, or does without it, and takes no table along") {
  Listed log;
  const auto kept = log.directory().parent_path() / (log.directory().filename().string() + "-kept");
  fs::copy(log.directory(), kept, fs::copy_options::recursive);
  const auto bytes = read_file(log.manifest(), 0);
  const auto tables = tables_in(log.directory());
  REQUIRE(tables.size() > 3);
  const bool is_long = ota::testing::variable("OTA_TEST_LONG") == "1";
  std::size_t refused = 0;
  // All lengths are among them: every byte, with another bit each.
  for (std::size_t at = 0; at < bytes.size(); at += is_long ? 1 : 7) {
    CAPTURE(at);
    auto changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
    std::ofstream(log.manifest(), std::ios::binary) << changed;
    const auto why = log.refusal();
    if (!why.empty()) {
      ++refused;
      CHECK(why.find(log.directory().string()) != why.npos);
      CHECK(tables_in(log.directory()) == tables);
      std::ofstream(log.manifest(), std::ios::binary) << bytes;
    }
    log.check_all_there();
    for (const auto& entry : fs::directory_iterator(log.directory())) fs::remove_all(entry.path());
    fs::copy(kept, log.directory(), fs::copy_options::recursive);
  }
  CHECK(refused > 10);
  fs::remove_all(kept);
}

TEST_CASE("a list of tables that is read otherwise than it stands there takes no table along") {
  Listed log;
  for (unsigned passes = 0; passes < 6; ++passes) {
    CAPTURE(passes);
    log.files().fail({FileKind::kManifest, FaultKind::kBitFlips, passes});
    const auto why = log.refusal();
    log.files().be_sound();
    if (passes == 0) CHECK(why.find("is damaged: Corruption: ") != why.npos);
    log.check_all_there();
  }
}

TEST_CASE("where a framed file is wrong, and whether anything sound is behind that, is told") {
  Listed log;
  const auto sound = read_file(log.manifest(), 0);
  CHECK_FALSE(find_frame_fault(sound));
  CHECK_FALSE(find_frame_fault(""));
  const auto torn = find_frame_fault(std::string_view(sound).substr(0, sound.size() - 1));
  REQUIRE(torn);
  CHECK(torn->sound_behind == 0);
  CHECK(torn->what == "the file ends within a record");
  auto longer = sound;
  longer[5] = 0x40;   // the first record's length: behind the end
  const auto fault = find_frame_fault(longer);
  REQUIRE(fault);
  CHECK(fault->offset == 0);
  CHECK(fault->sound_behind > 0);
  CHECK_FALSE(has_torn_manifest(log.directory()));
  std::ofstream(log.manifest(), std::ios::binary) << sound.substr(0, sound.size() - 1);
  CHECK(has_torn_manifest(log.directory()));
  CHECK_FALSE(has_torn_manifest(log.directory() / "nowhere"));
}
