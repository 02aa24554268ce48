// A list of tables that is damaged, on the disk or on the way from it: a start is refused, or loses nothing, and changes nothing.
#include "eventstore/manifest_check.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "eventstore/acknowledged.hpp"
#include "eventstore/backups.hpp"
#include "eventstore/crc32c.hpp"
#include "eventstore/durable_files.hpp"
#include "eventstore/repair.hpp"
#include "eventstore/verify.hpp"
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
    const auto found = verify(*store_.log, {});
    CHECK(found.is_sound());
    CHECK(found.events == kEvents);
    CHECK(store_.log->snapshot("s1", store_.log->head()));
    store_.close();
  }
  Log& open() {
    store_.open();
    return *store_.log;
  }
  void close() { store_.close(); }
  // As an earlier version, or the second behind the note, leaves it.
  void note_no_manifest() {
    auto note = read_acknowledged(directory()).value();
    note.manifest = 0;
    replace_acknowledged(directory(), note);
  }
  fs::path manifest() const {
    auto name = read_file(directory() / "CURRENT", 0);
    name.pop_back();
    return directory() / name;
  }

 private:
  FaultyStore store_;
};

// A fragment, as wal_file.hpp says.
std::string framed(char type, const std::string& bytes) {
  const auto sum = crc32c(std::string(1, type) + bytes);
  const std::uint32_t masked = ((sum >> 15) | (sum << 17)) + 0xa282ead8u;
  std::string fragment;
  for (int i = 0; i < 4; ++i) fragment += static_cast<char>(masked >> (8 * i));
  return fragment + static_cast<char>(bytes.size()) + static_cast<char>(bytes.size() >> 8) + type + bytes;
}

bool is_long() { return ota::testing::variable("OTA_TEST_LONG") == "1"; }

std::map<std::string, std::uintmax_t> tables_in(const fs::path& directory) {
  std::map<std::string, std::uintmax_t> tables;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".sst") tables[entry.path().filename()] = entry.file_size();
  }
  return tables;
}

}  // namespace

TEST_CASE("a list of tables with a bit that has turned is refused and changes nothing") {
  Listed log;
  const auto sound = read_file(log.manifest(), 0);
  const auto tables = tables_in(log.directory());
  const std::size_t step = is_long() ? 1 : 13;
  for (std::size_t at = 0; at < sound.size(); at += step) {
    CAPTURE(at);
    auto changed = sound;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
    write_file(log.manifest(), changed);
    CHECK(log.refusal().find(log.directory().string()) != std::string::npos);
    CHECK(tables_in(log.directory()) == tables);
  }
  write_file(log.manifest(), sound);
  log.check_all_there();
}

TEST_CASE("a list of tables that has lost its end, between two records too, is refused and changes nothing") {
  Listed log;
  const auto sound = read_file(log.manifest(), 0);
  const auto tables = tables_in(log.directory());
  const std::size_t step = is_long() ? 1 : 13;
  std::size_t in_words = 0;
  for (std::size_t bytes = 0; bytes < sound.size(); bytes += std::min(step, sound.size() - bytes)) {
    CAPTURE(bytes);
    cut_file(log.manifest(), bytes);
    const auto why = log.refusal();
    CHECK(why.find(log.manifest().filename().string()) != why.npos);
    in_words += why.find(fmt::format("{} is sound to byte ", log.manifest().filename().string())) != why.npos;
    CHECK(tables_in(log.directory()) == tables);
    write_file(log.manifest(), sound);
  }
  CHECK(in_words > 20);  // of its first records RocksDB says itself what it misses
  log.check_all_there();
}

TEST_CASE("a list of tables that was not written to its end, behind all that was synced, is not damaged: everything is there") {
  Listed log;
  const auto record = framed(1, std::string(200, 'e'));
  for (std::size_t bytes = 1; bytes < record.size(); bytes += is_long() ? 1 : 29) {
    CAPTURE(bytes);
    write_file(log.manifest(), read_file(log.manifest(), 0) + record.substr(0, bytes));
    CHECK(has_torn_manifest(log.directory()));
    {
      const auto to_read = Log::open_read_only(log.directory());
      CHECK(to_read->shortfall().empty());
      CHECK(verify(*to_read, {}).is_sound());
    }
    CHECK_FALSE(examine_log(log.directory()));
    log.check_all_there();
  }
}

TEST_CASE("a loss of the list's end that is accepted leaves its tables aside: put back, everything is there") {
  Listed log;
  const auto sound = read_file(log.manifest(), 0);
  const auto tables = tables_in(log.directory());
  cut_file(log.manifest(), 1'000);
  CHECK_THROWS_WITH_AS(repair_log(log.directory()), doctest::Contains("and without what it named there nothing can be read: "), std::runtime_error);
  CHECK(tables_in(log.directory()) == tables);
  cut_file(log.manifest(), 0);
  write_file(log.manifest(), sound.substr(0, sound.size() - 9));
  const auto told = examine_log(log.directory());
  REQUIRE(told);
  CHECK(told->damage == log.refusal());
  const auto done = repair_log(log.directory());
  REQUIRE(done);
  CHECK(tables_in(done->kept_in) == tables);
  CHECK(verify(*Log::open(log.directory()), {}).is_sound());
  for (const auto& entry : fs::directory_iterator(log.directory())) {
    if (!entry.is_directory()) fs::remove(entry.path());
  }
  for (const auto& entry : fs::directory_iterator(done->kept_in)) fs::copy(entry.path(), log.directory() / entry.path().filename());
  write_file(log.manifest(), sound);
  log.check_all_there();
}

TEST_CASE("names whose list of tables has lost its end are refused, and are there once it is put back") {
  TempDir place;
  const auto ada = Subjects::open(place.path())->token_for("ada");
  CHECK(Subjects::open(place.path())->person(ada) == "ada");  // in a table now
  auto name = read_file(place.path() / "CURRENT", 0);
  name.pop_back();
  const auto sound = read_file(place.path() / name, 0);
  const auto tables = tables_in(place.path());
  for (const std::size_t lost : {std::size_t{1}, std::size_t{9}, sound.size() / 2}) {
    cut_file(place.path() / name, sound.size() - lost);
    const auto why = why_not_open<Subjects>(place.path());
    CHECK(why.find(name + " is sound to byte ") != why.npos);
    CHECK(tables_in(place.path()) == tables);
    write_file(place.path() / name, sound);
  }
  CHECK(Subjects::open(place.path())->person(ada) == "ada");
  name = read_file(place.path() / "CURRENT", 0);
  name.pop_back();
  write_file(place.path() / name, read_file(place.path() / name, 0) + framed(1, "e").substr(0, 7));  // not written to its end
  CHECK(Subjects::open(place.path())->person(ada) == "ada");
}

TEST_CASE("a list of tables that is damaged while the log is written is found by a verification, and is in no backup") {
  Listed log;
  auto& open = log.open();
  const auto manifest = log.manifest();
  CHECK(verify(open, {}).is_sound());
  auto changed = read_file(manifest, 0);
  changed[changed.size() / 3] = static_cast<char>(changed[changed.size() / 3] ^ 1);
  std::fstream(manifest, std::ios::binary | std::ios::in | std::ios::out) << changed;  // RocksDB goes on with the file
  const auto found = verify(open, {}).findings;
  REQUIRE(found.size() == 1);
  CHECK(found.front().what.find("its list of tables " + manifest.filename().string() + " is damaged at byte ") == 0);
  TempDir place;
  const auto subjects = Subjects::open(place.path() / "subjects");
  std::string why;
  try {
    Backups(place.path() / "backups").take(open, *subjects);
  } catch (const std::runtime_error& error) {
    why = error.what();
  }
  CHECK(why.find(manifest.filename().string()) != why.npos);
  log.close();
}

TEST_CASE("a list of tables with a bit that has turned, of which nobody noted the end, is refused, or does without it, and takes no table along") {
  Listed log;
  log.note_no_manifest();
  const auto kept = log.directory().parent_path() / (log.directory().filename().string() + "-kept");
  fs::copy(log.directory(), kept, fs::copy_options::recursive);
  const auto bytes = read_file(log.manifest(), 0);
  const auto tables = tables_in(log.directory());
  REQUIRE(tables.size() > 3);
  std::size_t refused = 0;
  // Lengths are among them; with --long every byte is, with another bit each.
  for (std::size_t at = 0; at < bytes.size(); at += is_long() ? 1 : 23) {
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

TEST_CASE("a framed record that was begun at a block's end is not behind itself") {
  constexpr std::size_t kBlock = 32'768;
  // A whole one that leaves 3 bytes of its block; the first part of the next, which fills a block; a part of its end.
  const auto before = framed(1, std::string(kBlock - 7 - 3, 'a')) + std::string(3, '\0');
  const auto last = framed(4, std::string(100, 'c'));
  const auto whole = before + framed(2, std::string(kBlock - 7, 'b')) + last;
  CHECK_FALSE(find_frame_fault(whole));
  for (std::size_t lost = 1; lost <= last.size(); ++lost) {
    const auto fault = find_frame_fault(std::string_view(whole).substr(0, whole.size() - lost));
    REQUIRE(fault);
    CHECK(fault->sound_behind == 0);
  }
  CHECK(find_frame_fault(whole.substr(0, whole.size() - 1) + "x" + framed(1, "d"))->sound_behind == 1);
}
