// How far the log was acknowledged is noted beside it; a start that finds less says so, changes nothing, and goes on only when
// it is told to.
#include "eventstore/acknowledged.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "eventstore/backups.hpp"
#include "eventstore/database.hpp"
#include "eventstore/database_options.hpp"
#include "eventstore/durable_files.hpp"
#include "eventstore/manifest_check.hpp"
#include "eventstore/repair.hpp"
#include "eventstore/verify.hpp"
#include "eventstore/wal_file.hpp"
#include "support.hpp"
#include "tampered.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;
namespace fs = std::filesystem;

namespace {

Acknowledged note_of(std::uint64_t count) {
  Acknowledged note;
  note.count = count;
  note.time = Timestamp(std::chrono::microseconds(1'767'225'600'000'000));
  return note;
}

// All that a start could change: RocksDB's own words for people aside.
std::map<std::string, std::string> files_in(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const auto name = entry.path().filename().string();
    if (entry.is_regular_file() && !name.starts_with("LOG") && name != "LOCK") files[name] = read_file(entry.path(), 0);
  }
  return files;
}

// Twenty events whose only place is one file of the WAL.
struct Twenty {
  Twenty() {
    for (int i = 0; i < 20; ++i) {
      commit(*store.journal, append("s" + std::to_string(i % 3), {"t"}));
      ends.push_back(fs::file_size(wal()));
    }
    all = collect([&](const Visitor& v) { store.log->scan({}, v); });
    store.close();
  }
  const fs::path& directory() const { return store.directory.path(); }
  fs::path wal() const {
    const auto files = wal_files(directory());
    REQUIRE(files.size() == 1);
    return files.front();
  }
  std::vector<Seen> found() const {
    const auto log = Log::open_read_only(directory());
    return collect([&](const Visitor& v) { log->scan({}, v); });
  }

  Store store;
  std::vector<std::uint64_t> ends;
  std::vector<Seen> all;
};

}  // namespace

TEST_CASE("the note is text of a form that stays") {
  auto note = note_of(21);
  note.wal = 12;
  note.wal_bytes = 4'096;
  note.older = {8, 10};
  note.manifest = 5;
  note.manifest_bytes = 1'234;
  note.set_back = true;
  const auto slot = acknowledged_slot(note);
  CHECK(slot.size() == kAcknowledgedSlotBytes);
  CHECK(slot.substr(0, slot.find("\n\n") + 1) ==
        "ota acknowledged 1\ncount 21\ntime 1767225600000000\nwal 12 4096\nolder 8 10\nmanifest 5 1234\nset_back\nsum 563c69d4\n");
  std::string earlier = "ota acknowledged 1\ncount 21\ntime 1767225600000000\nwal 12 4096\nolder 8 10\nset_back\nsum 2fccf930\n";
  earlier.resize(kAcknowledgedSlotBytes, '\n');
  auto without = note;
  without.manifest = without.manifest_bytes = 0;
  CHECK(parse_acknowledged(earlier) == without);
  CHECK(parse_acknowledged(slot) == note);
  CHECK(parse_acknowledged(acknowledged_slot(note_of(0))) == note_of(0));
  for (std::size_t at = 0; at < slot.find("\n\n"); ++at) {
    auto damaged = slot;
    damaged[at] = static_cast<char>(damaged[at] ^ 2);
    CHECK_FALSE(parse_acknowledged(damaged));
  }
}

TEST_CASE("of two slots the larger sound one counts, and the other one is overwritten") {
  TempDir place;
  const auto file = place.path() / kAcknowledgedName;
  CHECK_FALSE(read_acknowledged(place.path()));
  replace_acknowledged(place.path(), note_of(5));
  CHECK(read_acknowledged(place.path()) == note_of(5));
  {
    AcknowledgedFile open(place.path());
    open.write(note_of(6));
    CHECK(read_acknowledged(place.path()) == note_of(6));
    open.write(note_of(7));
  }
  // Of as many events that with the newer files counts, whichever slot it is in.
  auto again = note_of(7);
  for (again.manifest = 1; again.manifest < 4; ++again.manifest) {
    AcknowledgedFile(place.path()).write(again);
    CHECK(read_acknowledged(place.path()) == again);
  }
  again.manifest = 3;
  again.manifest_bytes = 1;
  AcknowledgedFile(place.path()).write(again);
  CHECK(read_acknowledged(place.path()) == again);
  AcknowledgedFile(place.path()).write(note_of(8));
  CHECK(read_acknowledged(place.path()) == note_of(8));
  // A power cut in the next one: the last is there.
  auto bytes = read_file(file, 0);
  const auto eighth = bytes.find("count 8");
  REQUIRE(eighth != bytes.npos);
  bytes[eighth] = '?';
  write_file(file, bytes);
  CHECK(read_acknowledged(place.path()) == again);
  write_file(file, "");
  CHECK_THROWS_WITH_AS(read_acknowledged(place.path()), doctest::Contains("is damaged"), DamagedNote);
}

TEST_CASE("a log has a note from its first start on, of what is synced: behind each commit after a quiet time, and at its end") {
  Store store;
  CHECK(read_acknowledged(store.directory.path())->count == 0);
  std::promise<void> noted;
  fault::set_hook([&](std::string_view passed) {
    if (passed == "journal.noted") noted.set_value();
  });
  commit(*store.journal, append("s"));
  noted.get_future().wait();
  fault::set_hook({});
  auto note = read_acknowledged(store.directory.path());
  CHECK(note->count == 1);
  CHECK(note->wal_bytes == fs::file_size(store.directory.path() / wal_name(note->wal)));
  CHECK_FALSE(note->set_back);
  for (int i = 0; i < 10; ++i) commit(*store.journal, append("s"));
  store.close();
  note = read_acknowledged(store.directory.path());
  CHECK(note->count == 11);
  CHECK(note->wal_bytes == fs::file_size(store.directory.path() / wal_name(note->wal)));
  fs::remove(store.directory.path() / kAcknowledgedName);  // as of an earlier version
  store.reopen();
  CHECK(read_acknowledged(store.directory.path())->count == 11);
}

TEST_CASE("a note tells how far the list of tables is synced: from the start on, and behind tables that no event was written with") {
  Store store;
  const auto is_noted = [&] {
    const auto note = read_acknowledged(store.directory.path()).value();
    return note.manifest != 0 && note.manifest_bytes == fs::file_size(store.directory.path() / manifest_name(note.manifest));
  };
  CHECK(is_noted());
  commit(*store.journal, append("s"));
  store.close();
  CHECK(is_noted());
  store.reopen();
  CHECK(is_noted());
  const auto before = read_acknowledged(store.directory.path())->manifest_bytes;
  std::mutex mutex;
  std::condition_variable changed;
  bool noted = false;
  fault::set_hook([&](std::string_view passed) {
    if (passed != "journal.noted") return;
    const std::lock_guard lock(mutex);
    noted = is_noted() && read_acknowledged(store.directory.path())->manifest_bytes > before;
    changed.notify_one();
  });
  // More than the memory for them, twice: the second one begins another memory, and the first becomes a table.
  for (int i = 0; i < 2; ++i) store.journal->put_snapshot("s", store.log->head(), std::string(std::size_t{9} << 20, 'x'));
  {
    std::unique_lock lock(mutex);
    CHECK(changed.wait_for(lock, std::chrono::minutes(1), [&] { return noted; }));
  }
  fault::set_hook({});
  CHECK(read_acknowledged(store.directory.path())->count == 1);
}

TEST_CASE("events that were acknowledged and are gone with the WAL: refused in words, nothing changed, and all there once it is put back") {
  Twenty log;
  const auto file = log.wal();
  const auto whole = read_file(file, 0);
  const auto damages = std::map<std::string, std::function<void()>>{
      {"gone", [&] { fs::remove(file); }},
      {"emptied", [&] { write_file(file, ""); }},
      {"zeros", [&] { write_file(file, std::string(whole.size(), '\0')); }},
      {"cut behind an event", [&] { cut_file(file, log.ends[10]); }},
      {"cut within one", [&] { cut_file(file, log.ends[10] + 9); }},
      {"cut to half", [&] { cut_file(file, whole.size() / 2); }},
  };
  for (const auto& [name, damage] : damages) {
    CAPTURE(name);
    damage();
    const auto before = files_in(log.directory());
    const auto left = log.found().size();
    CHECK(left < 20);
    const auto why = why_not_open<Log>(log.directory());
    CHECK(why.find(fmt::format("is not all there: it has {} of the 20 events that were acknowledged by ", left)) != std::string::npos);
    CHECK(why.find(file.filename().string()) != std::string::npos);
    CHECK(why.find("otactl log repair " + log.directory().string()) != std::string::npos);
    CHECK(Log::open_read_only(log.directory())->shortfall() == why);
    const auto told = examine_log(log.directory());
    REQUIRE(told);
    CHECK(told->damage == why);
    CHECK(told->head.value == left);
    CHECK(told->events_lost() == 20 - left);
    CHECK(files_in(log.directory()) == before);
    write_file(file, whole);
    CHECK(Log::open_read_only(log.directory())->shortfall().empty());
    CHECK_FALSE(examine_log(log.directory()));
    CHECK(log.found() == log.all);
  }
  log.store.reopen();
  CHECK(commit(*log.store.journal, append("s")).first == Position{21});
}

TEST_CASE("a loss that is accepted leaves a sound log of what is there, its files as they were, and a word that it was set back") {
  for (const std::size_t kept : {std::size_t{0}, std::size_t{11}}) {
    CAPTURE(kept);
    Twenty log;
    const auto file = log.wal();
    kept == 0 ? static_cast<void>(fs::remove(file)) : cut_file(file, log.ends[kept - 1] + 5);
    const auto done = repair_log(log.directory());
    REQUIRE(done);
    CHECK(done->head.value == kept);
    CHECK(done->events_lost() == 20 - kept);
    CHECK(read_acknowledged(done->kept_in)->count == 20);
    CHECK_FALSE(examine_log(log.directory()));
    log.store.reopen();
    CHECK(log.store.log->is_set_back());
    CHECK(log.store.log->head().value == kept);
    log.store.close();
    auto opened = Log::open(log.directory());
    opened->forget_set_back();
    opened.reset();
    log.store.reopen();
    CHECK_FALSE(log.store.log->is_set_back());
    CHECK(commit(*log.store.journal, append("s")).first == Position{kept + 1});
    CHECK(verify(*log.store.log, {}).is_sound());
  }
}

TEST_CASE("views that saw more than a sound log has are accepted by a repair that has nothing else to do") {
  Twenty log;
  CHECK_FALSE(repair_log(log.directory()));
  CHECK(Log::open(log.directory())->is_set_back());
  CHECK(log.found() == log.all);
}

TEST_CASE("an older file of the WAL that still holds rows of an index is missed, though every event is there") {
  Twenty log;
  log.store.reopen();
  {
    log.store.close();
    const auto database = Database::open(log.directory(), std::make_shared<Head>(), nullptr);
    // The log goes on in another file, since its events went to a table alone; the tags of the next are in the old one.
    REQUIRE(database->db().Put(durable_write(), database->family(Family::kTags), "a tag of long ago", "").ok());
    REQUIRE(database->db().Put(durable_write(), database->family(Family::kSnapshots), "x", "x").ok());
    REQUIRE(database->db().Flush({}, database->family(Family::kSnapshots)).ok());
    REQUIRE(database->db().Put(durable_write(), database->family(Family::kMeta), "x", "x").ok());
    auto note = database->durable_to({20}, Timestamp());
    for (const auto& [number, bytes] : wal_sizes(log.directory())) {
      if (number < note.wal && bytes > 0) note.older.push_back(number);
    }
    REQUIRE(note.older.size() == 1);
    replace_acknowledged(log.directory(), note);
  }
  const auto note = read_acknowledged(log.directory());
  fs::remove(log.directory() / wal_name(note->older.front()));
  const auto before = files_in(log.directory());
  const auto why = why_not_open<Log>(log.directory());
  CHECK(why.find("is not all there: it has its 20 events, and other rows are missing, and of its write-ahead log " +
                 wal_name(note->older.front()) + " is gone") != std::string::npos);
  CHECK(files_in(log.directory()) == before);
  CHECK(repair_log(log.directory()));
  log.store.reopen();
  CHECK(commit(*log.store.journal, append("s")).first == Position{21});
  // All but what this test has put there, which is no row of a log.
  for (const auto& finding : verify(*log.store.log, {}).findings) {
    CHECK_MESSAGE(finding.what.find("family snapshots has a damaged key") != std::string::npos, finding.what);
  }
}

TEST_CASE("files of the WAL that are in tables are not missed") {
  Store store;
  // More than is replayed at a start: the end brings it into tables.
  for (int i = 0; i < 9'000; ++i) store.journal->append(append("s", {"t"}), {});
  wait_for_all(*store.journal);
  store.close();
  const auto note = read_acknowledged(store.directory.path());
  REQUIRE(note->count == 9'000);
  CHECK_FALSE(fs::exists(store.directory.path() / wal_name(note->wal)));
  CHECK(note->manifest_bytes == fs::file_size(store.directory.path() / manifest_name(note->manifest)));  // with what the end wrote
  store.reopen();
  CHECK(store.log->head() == Position{9'000});
  CHECK(Log::open_read_only(store.directory.path())->shortfall().empty());
}

TEST_CASE("a note that is damaged is no silence: refused, readable, and written anew by a repair") {
  Twenty log;
  std::ofstream(log.directory() / kAcknowledgedName) << "nothing";
  CHECK(why_not_open<Log>(log.directory()).find("acknowledged, which says how far the database was acknowledged, is damaged") !=
        std::string::npos);
  CHECK(why_not_open<Log>(log.directory()).find("`otactl log repair --apply " + log.directory().string() + "`") != std::string::npos);
  CHECK(log.found() == log.all);
  CHECK_FALSE(Log::open_read_only(log.directory())->shortfall().empty());
  const auto done = repair_log(log.directory());
  REQUIRE(done);
  CHECK(done->events_lost() == 0);
  log.store.reopen();
  CHECK(log.store.log->head() == Position{20});
}

TEST_CASE("a note for which there is no descriptor is tried again, and ends no service") {
  std::atomic<bool> stopped{false};
  Journal::Options options;
  options.fail_stop = [&](const std::string&) {
    stopped = true;
    throw std::runtime_error("stopped");
  };
  Store store(options);
  std::promise<void> missed;
  std::atomic<bool> is_first{true};
  fault::set_hook([&](std::string_view passed) {
    if (passed == "journal.not_noted" && is_first.exchange(false)) missed.set_value();
    if (passed == "journal.noted" && is_first.exchange(false)) missed.set_value();
  });
  {
    const NoDescriptors none;
    commit(*store.journal, append("s"));
    missed.get_future().wait();
  }
  fault::set_hook({});
  CHECK_FALSE(stopped);
  commit(*store.journal, append("s"));
  store.close();
  CHECK_FALSE(stopped);
  CHECK(read_acknowledged(store.directory.path())->count == 2);
}

TEST_CASE("a journal whose note cannot be written leaves a log that can be closed") {
  TempDir directory;
  auto log = Log::open(directory.path());
  fs::remove(directory.path() / kAcknowledgedName);
  CHECK_THROWS_WITH_AS(std::make_unique<Journal>(log, std::vector<Tail*>{}, Journal::Options{}), doctest::Contains("acknowledged cannot be written"),
                       std::runtime_error);
  log.reset();
  log = Log::open(directory.path());
  Journal journal(log, {}, {});
  CHECK(commit(journal, append("s")).first == Position{1});
}

TEST_CASE("a file of the WAL that is gone is missed where the newest table cannot be read either, and nothing is changed") {
  Tampered log;
  const auto table = log.table(Family::kLog);
  std::uint64_t data_bytes = 0;
  log.change([&](Database& d, rocksdb::WriteBatch&) {
    rocksdb::TablePropertiesCollection tables;
    REQUIRE(d.db().GetPropertiesOfAllTables(d.family(Family::kLog), &tables).ok());
    REQUIRE(tables.size() == 1);
    data_bytes = tables.begin()->second->data_size;
  });
  log.store.reopen();
  commit(*log.store.journal, append("s"));
  log.store.close();
  Tampered::flip(table, data_bytes - 20);
  for (const auto& file : wal_files(log.store.directory.path())) fs::remove(file);
  const auto before = files_in(log.store.directory.path());
  const auto why = why_not_open<Log>(log.store.directory.path());
  CHECK_MESSAGE(why.find("is not all there: how many of the 10001 events that were acknowledged by ") != why.npos, why);
  CHECK(why.find("cannot be told") != why.npos);
  CHECK(why.find(" is gone. Put back what is missing") != why.npos);
  CHECK(files_in(log.store.directory.path()) == before);
}
