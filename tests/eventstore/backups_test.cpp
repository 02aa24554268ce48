// Backups while the log is written: each is a state that was there, proven; further ones cost what is new; names go from them.
#include "eventstore/backups.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <future>
#include <thread>

#include "backed_up.hpp"
#include "eventstore/acknowledged.hpp"
#include "eventstore/checkpoint.hpp"
#include "eventstore/fault.hpp"
#include "eventstore/subjects.hpp"
#include "eventstore/verify.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

namespace fs = std::filesystem;

bool any_file_holds(const fs::path& directory, const std::string& text) {
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a backup that is taken while others write is restored, verified, and written on") {
  BackedUp b;
  b.write(2'000);
  std::atomic<bool> enough{false};
  std::thread writer([&] {
    while (!enough) b.write(50);
  });
  const auto before = b.store.log->head();
  const auto taken = b.backups.take(*b.store.log, *b.subjects);
  const auto after = b.store.log->head();
  enough = true;
  writer.join();
  CHECK(taken.id == 1);
  CHECK(taken.head >= before);
  const auto data = b.place.path() / "restored";
  b.backups.restore(data);
  const auto events = b.verified(data);
  CHECK(events >= before.value);
  CHECK(events <= after.value);
  // Whole groups, as after any crash; and it goes on.
  const auto log = Log::open(data / "log");
  Journal journal(log, {}, {});
  CHECK(commit(journal, append("s1")).first.value == events + 1);
}

TEST_CASE("further backups share what they have in common, and each is the log of its time") {
  BackedUp b;
  const auto bytes_in = [&] {
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(b.place.path() / "backups")) {
      if (entry.is_regular_file()) bytes += entry.file_size();
    }
    return bytes;
  };
  // What the log keeps in tables is copied once.
  b.write(20'000);
  b.store.reopen();
  const auto first = b.backups.take(*b.store.log, *b.subjects);
  const auto of_first = bytes_in();
  b.write(100);
  const auto second = b.backups.take(*b.store.log, *b.subjects);
  CHECK(second.id == 2);
  CHECK(second.head.value == first.head.value + 100);
  CHECK(bytes_in() - of_first < of_first / 4);
  const auto all = b.backups.list();
  REQUIRE(all.size() == 2);
  CHECK(all[0].head == first.head);
  CHECK(all[1].bytes >= all[0].bytes);
  b.backups.restore(b.place.path() / "old", 1);
  CHECK(b.verified(b.place.path() / "old") == first.head.value);
  b.backups.restore(b.place.path() / "new");
  CHECK(b.verified(b.place.path() / "new") == second.head.value);
  b.backups.keep(1);
  CHECK(b.backups.list().size() == 1);
  b.backups.check();
  b.backups.restore(b.place.path() / "kept");
  CHECK(b.verified(b.place.path() / "kept") == second.head.value);
}

TEST_CASE("names come back with a backup, and are in none any more once one was taken behind their erasure") {
  BackedUp b;
  const auto ada = b.subjects->token_for("ada-lovelace");
  const auto grace = b.subjects->token_for("grace-hopper");
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  CHECK(any_file_holds(b.place.path() / "backups", "ada-lovelace"));
  b.subjects->erase(ada);
  b.backups.take(*b.store.log, *b.subjects);
  CHECK_FALSE(any_file_holds(b.place.path() / "backups", "ada-lovelace"));
  b.backups.restore(b.place.path() / "data", 1);  // an older log, with the names of today
  const auto restored = Subjects::open(b.place.path() / "data" / "subjects");
  CHECK_FALSE(restored->person(ada));
  CHECK(restored->person(grace) == "grace-hopper");
}

TEST_CASE("what cannot be restored says why, and nothing is written over") {
  BackedUp b;
  const auto data = b.place.path() / "data";
  CHECK(b.backups.list().empty());
  CHECK(why_not([&] { b.backups.restore(data); }) == "the directory " + (b.place.path() / "backups").string() + " holds no backups");
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  CHECK(why_not([&] { b.backups.restore(data, 7); }) ==
        "there is no backup 7 in " + (b.place.path() / "backups").string() + ": 1 to 1 are there");
  fs::create_directories(data / "log");
  CHECK(why_not([&] { b.backups.restore(data); }).find("is there already: a backup is restored beside what is there") != std::string::npos);
}

TEST_CASE("log and names are restored both or not at all") {
  BackedUp b;
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  const auto data = b.place.path() / "data";
  SUBCASE("names are there already") {
    fs::create_directories(data / "subjects");
    CHECK(why_not([&] { b.backups.restore(data); }).find("subjects is there already") != std::string::npos);
    fs::remove(data / "subjects");
  }
  SUBCASE("the names have no backup") {
    fs::rename(b.place.path() / "backups" / "subjects", b.place.path() / "elsewhere");
    CHECK(why_not([&] { b.backups.restore(data); }).find("holds no backups") != std::string::npos);
    fs::rename(b.place.path() / "elsewhere", b.place.path() / "backups" / "subjects");
  }
  SUBCASE("the backup of the names is damaged") {
    for (const auto& entry : fs::recursive_directory_iterator(b.place.path() / "backups" / "subjects" / "private")) {
      if (entry.is_regular_file()) fs::rename(entry.path(), entry.path().string() + ".away");
    }
    CHECK(why_not([&] { b.backups.restore(data); }) != "it was done");
    for (const auto& entry : fs::recursive_directory_iterator(b.place.path() / "backups" / "subjects" / "private")) {
      const auto name = entry.path().string();
      if (name.ends_with(".away")) fs::rename(name, name.substr(0, name.size() - 5));
    }
  }
  CHECK_FALSE(fs::exists(data / "log"));
  CHECK((!fs::exists(data) || fs::is_empty(data)));
  b.backups.restore(data);
  CHECK(b.verified(data) == 10);
}

TEST_CASE("what was restored is known to be less than there was, and holds at least what the backup said") {
  BackedUp b;
  b.write(100);
  b.backups.take(*b.store.log, *b.subjects);
  b.write(100);
  CHECK_FALSE(b.store.log->is_set_back());
  const auto data = b.place.path() / "data";
  b.backups.restore(data);
  const auto note = read_acknowledged(data / "log");
  REQUIRE(note);
  CHECK(note->count == 100);
  CHECK(note->wal == 0);
  CHECK(Log::open(data / "log")->is_set_back());
}

TEST_CASE("whoever is new gets a token while the names are copied") {
  BackedUp b;
  b.write(10);
  int asked = 0;
  b.backups.take(*b.store.log, *b.subjects, [&] {
    if (++asked > 2) return false;
    auto named = std::async(std::launch::async, [&] { return b.subjects->token_for("somebody " + std::to_string(asked)); });
    // Not done: it waits for the copy, which waits for this.
    if (named.wait_for(std::chrono::seconds(30)) != std::future_status::ready) std::abort();
    CHECK_FALSE(named.get().empty());
    return false;
  });
  CHECK(asked >= 2);
}

TEST_CASE("a damaged backup is found by its checksums") {
  BackedUp b;
  b.write(1'000);
  b.backups.take(*b.store.log, *b.subjects);
  b.backups.check();
  for (const auto& entry : fs::recursive_directory_iterator(b.place.path() / "backups" / "log")) {
    if (!entry.is_regular_file() || entry.file_size() < 10'000) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(5'000);
    file.put('?');
  }
  CHECK(why_not([&] { b.backups.check(); }).find("cannot be trusted") != std::string::npos);
}

TEST_CASE("a newest backup of which files are gone is no reason to take an older one for it") {
  for (const std::string gone : {"meta", "private"}) {
    CAPTURE(gone);
    BackedUp log;
    log.write(100);
    log.backups.take(*log.store.log, *log.subjects);
    log.write(100);
    const auto newest = log.backups.take(*log.store.log, *log.subjects);
    const auto place = log.place.path() / "backups" / "log";
    if (gone == "meta") fs::remove(place / "meta" / "2");
    if (gone == "private") {
      for (const auto& file : fs::directory_iterator(place / "private" / "2")) {
        if (file.path().extension() == ".log") fs::remove(file.path());
      }
    }
    const auto data = log.place.path() / "data";
    for (const auto& why : {why_not([&] { log.backups.check(); }), why_not([&] { log.backups.restore(data); })}) {
      CHECK(why.find("backup 2 in ") == 0);
      CHECK(why.find("the newest that can be read is 1") != std::string::npos);
    }
    CHECK_FALSE(fs::exists(data / "log"));
    CHECK(log.backups.check(1).id == 1);
    CHECK(log.backups.restore(data, 1).head < newest.head);
    CHECK(log.verified(data) >= 100);
  }
}

TEST_CASE("backups of one log are not mixed with those of another") {
  BackedUp log;
  BackedUp other;
  log.write(10);
  other.write(10, "other");
  log.backups.take(*log.store.log, *log.subjects);
  const Backups shared(log.place.path() / "backups");
  CHECK(why_not([&] { shared.take(*other.store.log, *other.subjects); }).find("are of another log") != std::string::npos);
  CHECK(shared.list().size() == 1);
  // What was restored of it goes on.
  const auto data = log.place.path() / "data";
  shared.restore(data);
  const auto restored = Log::open(data / "log");
  const auto names = Subjects::open(data / "subjects");
  CHECK(shared.take(*restored, *names).id == 2);
}

TEST_CASE("a backup that is broken off leaves the earlier ones") {
  BackedUp b;
  b.write(1'000);
  b.backups.take(*b.store.log, *b.subjects);
  CHECK(why_not([&] { b.backups.take(*b.store.log, *b.subjects, [] { return true; }); }).find("was broken off") != std::string::npos);
  b.write(20'000);
  int asked = 0;
  CHECK(why_not([&] { b.backups.take(*b.store.log, *b.subjects, [&] { return ++asked > 2; }); }).find("cannot be written") != std::string::npos);
  REQUIRE(b.backups.list().size() == 1);
  b.backups.check();
}

TEST_CASE("a backup that is broken off behind the log is not there: nobody would know who is new in it") {
  BackedUp b;
  b.subjects->token_for("ada");
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  const auto grace = b.subjects->token_for("grace");
  b.write(10);
  std::atomic<bool> stop{false};
  fault::set_hook([&](std::string_view passed) { stop = stop || passed == "backups.log_taken"; });
  CHECK(why_not([&] { b.backups.take(*b.store.log, *b.subjects, [&] { return stop.load(); }); }).find("was broken off") != std::string::npos);
  fault::set_hook({});
  REQUIRE(stop);
  REQUIRE(b.backups.list().size() == 1);
  CHECK(b.backups.check().head.value == 10);
  b.backups.restore(b.place.path() / "old");
  CHECK(b.verified(b.place.path() / "old") == 10);
  CHECK(b.backups.take(*b.store.log, *b.subjects).head.value == 20);
  b.backups.restore(b.place.path() / "new");
  CHECK(Subjects::open(b.place.path() / "new" / "subjects")->person(grace) == "grace");
}

namespace {

// Two backups; the second was killed while it copied the names, of which there is a piece if `piece`.
struct KilledAtNames : BackedUp {
  explicit KilledAtNames(bool piece) {
    const auto names = place.path() / "backups" / "subjects";
    ada = subjects->token_for("ada");
    write(10);
    backups.take(*store.log, *subjects);
    fs::copy(names, place.path() / "aside", fs::copy_options::recursive);
    grace = subjects->token_for("grace");
    write(10);
    backups.take(*store.log, *subjects);
    fs::remove_all(names);
    fs::rename(place.path() / "aside", names);
    if (piece) fs::create_directories(names / "private" / "2");
    if (piece) std::ofstream(names / "private" / "2" / "000012.log") << "a piece";
  }
  SubjectToken ada, grace;
};

}  // namespace

TEST_CASE("a log is not restored with names that are older, unless somebody wants that") {
  for (const bool piece : {false, true}) {
    CAPTURE(piece);
    KilledAtNames b(piece);
    const auto data = b.place.path() / "data";
    for (const auto& why : {why_not([&] { b.backups.restore(data); }), why_not([&] { b.backups.check(); }), why_not([&] { b.backups.check(2); })}) {
      CHECK_MESSAGE(why.find("has no names that go with it: its log has 20 events, and the newest names that can be read are those of 10 events") != why.npos, why);
      CHECK(why.find("backup 2 in ") == 0);
      CHECK(why.find("--without-newer-names") != why.npos);
    }
    CHECK_FALSE(fs::exists(data));
    CHECK(b.backups.check(1).head.value == 10);
    b.backups.restore(b.place.path() / "old", 1);
    CHECK(b.verified(b.place.path() / "old") == 10);
    b.backups.restore(data, 0, NamesOf::kWhateverIsThere);
    CHECK(b.verified(data) == 20);
    {
      const auto restored = Subjects::open(data / "subjects");
      CHECK(restored->person(b.ada) == "ada");
      CHECK_FALSE(restored->person(b.grace));
    }
    // The next one is whole again.
    b.backups.take(*b.store.log, *b.subjects);
    b.backups.check();
    b.backups.restore(b.place.path() / "next");
    CHECK(Subjects::open(b.place.path() / "next" / "subjects")->person(b.grace) == "grace");
  }
}

TEST_CASE("a log without any names that can be read is restored alone if somebody wants that") {
  KilledAtNames b(false);
  fs::remove_all(b.place.path() / "backups" / "subjects");
  const auto data = b.place.path() / "data";
  CHECK(why_not([&] { b.backups.restore(data); }) != "it was done");
  b.backups.restore(data, 0, NamesOf::kWhateverIsThere);
  CHECK(b.verified(data) == 20);
  CHECK_FALSE(fs::exists(data / "subjects"));
}

TEST_CASE("a restore that was killed between names and log is done again") {
  BackedUp b;
  const auto ada = b.subjects->token_for("ada");
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  const auto data = b.place.path() / "data";
  const auto killed = b.place.path() / "killed";
  fault::set_hook([&](std::string_view passed) {
    if (passed == "backups.names_shown") fs::copy(data, killed, fs::copy_options::recursive);
  });
  b.backups.restore(data);
  fault::set_hook({});
  REQUIRE(fs::exists(killed / "subjects"));
  REQUIRE_FALSE(fs::exists(killed / "log"));
  CHECK(why_not([&] { b.backups.restore(data); }).find("is there already") != std::string::npos);
  SUBCASE("at once") {
    b.backups.restore(killed);
    CHECK(b.verified(killed) == 10);
    CHECK(Subjects::open(killed / "subjects")->person(ada) == "ada");
    CHECK_FALSE(fs::exists(killed / "subjects" / "RESTORE"));
    CHECK_FALSE(fs::exists(killed / "log.restoring"));
  }
  SUBCASE("not over names that somebody has used since") {
    Subjects::open(killed / "subjects");
    CHECK(why_not([&] { b.backups.restore(killed); }).find("subjects is there already") != std::string::npos);
  }
}

TEST_CASE("a log that cannot be put in its place leaves no names there") {
  BackedUp b;
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  const auto data = b.place.path() / "data";
  fault::set_hook([&](std::string_view passed) {
    if (passed == "backups.names_shown") fs::create_directories(data / "log" / "somebody else's");
  });
  CHECK(why_not([&] { b.backups.restore(data); }) != "it was done");
  fault::set_hook({});
  CHECK_FALSE(fs::exists(data / "subjects"));
  fs::remove_all(data / "log");
  b.backups.restore(data);
  CHECK(b.verified(data) == 10);
}
