// Persons and their tokens: one each, durable, and gone for good when erased.
#include "eventstore/subjects.hpp"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <thread>

#include "eventstore/acknowledged.hpp"
#include "eventstore/durable_files.hpp"
#include "eventstore/fault.hpp"
#include "eventstore/repair.hpp"
#include "eventstore/subjects_database.hpp"
#include "eventstore/subjects_repair.hpp"
#include "eventstore/wal_file.hpp"
#include "faulty_store.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

// True if any file of the directory contains `text`.
bool on_disk(const std::filesystem::path& directory, std::string_view text) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("tokens for many persons are those of each of them, made once and synced before they are given") {
  TempDir directory;
  std::vector<SubjectToken> tokens;
  {
    const auto subjects = Subjects::open(directory.path());
    const SubjectToken ada = subjects->token_for("ada");
    tokens = subjects->tokens_for({"grace", "ada", "", "grace", "joan"});
    REQUIRE(tokens.size() == 5);
    CHECK(tokens[1] == ada);
    CHECK(tokens[2].empty());
    CHECK(tokens[0] == tokens[3]);
    CHECK(std::set<SubjectToken>(tokens.begin(), tokens.end()).size() == 4);
    CHECK(subjects->token_for("joan") == tokens[4]);
    CHECK(subjects->tokens_for({}).empty());
  }
  const auto subjects = Subjects::open(directory.path());
  CHECK(subjects->tokens_for({"grace", "ada", "", "grace", "joan"}) == tokens);
  CHECK(subjects->person(tokens[0]) == "grace");
}

TEST_CASE("a person has one token, before and after a restart") {
  TempDir directory;
  SubjectToken ada;
  SubjectToken bob;
  {
    const auto subjects = Subjects::open(directory.path());
    ada = subjects->token_for("ada");
    bob = subjects->token_for("bob");
    CHECK_FALSE(ada.empty());
    CHECK(ada != bob);
    CHECK(subjects->token_for("ada") == ada);
    CHECK(subjects->person(ada) == "ada");
  }
  const auto subjects = Subjects::open(directory.path());
  CHECK(subjects->token_for("ada") == ada);
  CHECK(subjects->token_for("bob") == bob);
  CHECK(subjects->person(ada) == "ada");
  CHECK(subjects->person(bob) == "bob");
}

TEST_CASE("nobody has the empty token") {
  TempDir directory;
  const auto subjects = Subjects::open(directory.path());
  CHECK(subjects->token_for("").empty());
  CHECK_FALSE(subjects->person({}));
  subjects->erase({});
  CHECK_FALSE(subjects->person({{1, 2, 3, 4, 5, 6, 7, 8}}));
}

TEST_CASE("any bytes are a person, up to the limit") {
  TempDir directory;
  const auto subjects = Subjects::open(directory.path());
  for (const std::string& person :
       {std::string("\0", 1), std::string("a\0b", 3), std::string(256, '\xff')}) {
    CHECK(subjects->person(subjects->token_for(person)) == person);
  }
}

TEST_CASE("an erased person is unknown, is nowhere on disk, and gets a new token when he returns") {
  TempDir directory;
  const std::string name = "ada.lovelace@example.org";
  auto subjects = Subjects::open(directory.path());
  const SubjectToken before = subjects->token_for(name);
  const SubjectToken other = subjects->token_for("bob");
  REQUIRE(on_disk(directory.path(), name));
  subjects->erase(before);
  CHECK_FALSE(on_disk(directory.path(), name));
  CHECK_FALSE(subjects->person(before));
  CHECK(subjects->person(other) == "bob");
  subjects->erase(before);  // again, as after each start

  const SubjectToken after = subjects->token_for(name);
  CHECK(after != before);
  subjects.reset();
  subjects = Subjects::open(directory.path());
  CHECK_FALSE(subjects->person(before));
  CHECK(subjects->token_for(name) == after);
}

TEST_CASE("a name that was written long ago is erased from every file") {
  TempDir directory;
  auto subjects = Subjects::open(directory.path());
  const SubjectToken token = subjects->token_for("grace.hopper@example.org");
  for (int i = 0; i < 300; ++i) subjects->token_for("person " + std::to_string(i));
  subjects.reset();
  subjects = Subjects::open(directory.path());  // what was in the WAL is in a table now
  for (int i = 300; i < 400; ++i) subjects->token_for("person " + std::to_string(i));
  subjects->erase(token);
  CHECK_FALSE(on_disk(directory.path(), "grace.hopper"));
  CHECK(subjects->person(subjects->token_for("person 7")) == "person 7");
}

TEST_CASE("what was kept aside of a damaged write-ahead log is gone with the next erasure") {
  TempDir directory;
  auto subjects = Subjects::open(directory.path());
  const SubjectToken ada = subjects->token_for("ada.lovelace@example.org");
  subjects->token_for("bob");
  subjects.reset();
  const auto file = wal_files(directory.path()).back();
  auto bytes = read_file(file, 0);
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 1);
  write_file(file, bytes);
  REQUIRE(repair_subjects(directory.path()));
  subjects = Subjects::open(directory.path());
  subjects->erase(ada);
  CHECK_FALSE(on_disk(directory.path(), "ada.lovelace"));
}

TEST_CASE("what was kept aside goes, too, for somebody whom no row names any more") {
  TempDir directory;
  Subjects::open(directory.path())->token_for("bob");
  const auto aside = make_aside_directory(directory.path());
  write_file(aside / "000004.log", "ada.lovelace@example.org");
  const auto subjects = Subjects::open(directory.path());
  REQUIRE_FALSE(subjects->known_token("ada.lovelace@example.org"));
  subjects->erase_leftovers();
  CHECK_FALSE(on_disk(directory.path(), "ada.lovelace"));
  CHECK(subjects->known_token("bob"));
}

TEST_CASE("names that cannot be opened again behind an erasure stop the service, and the erasure ends with the next start") {
  FaultyStore store;
  store.open_subjects();
  const auto ada = store.subjects->token_for("ada.lovelace@example.org");
  const auto bob = store.subjects->token_for("bob");
  fault::set_hook([&](std::string_view passed) {
    if (passed == "subjects.reopens") store.files->fail({FileKind::kManifest, FaultKind::kNoSpace});
  });
  CHECK_THROWS_AS(store.subjects->erase(ada), std::runtime_error);
  fault::set_hook({});
  const auto why = store.stopped.get_future().get();
  CHECK(why.find("the subjects database in " + store.names.path().string() + " cannot be opened again after an erasure: ") == 0);
  store.files->be_sound();
  store.close();
  store.open_subjects();
  CHECK(store.subjects->person(bob) == "bob");
  CHECK_FALSE(store.subjects->person(ada));
  CHECK_FALSE(on_disk(store.names.path(), "ada.lovelace"));
}

TEST_CASE("many threads that name one person get one token") {
  TempDir directory;
  const auto subjects = Subjects::open(directory.path());
  std::vector<std::vector<SubjectToken>> tokens(8);
  std::vector<std::thread> threads;
  for (auto& mine : tokens) {
    threads.emplace_back([&mine, &subjects] {
      for (int i = 0; i < 50; ++i) {
        mine.push_back(subjects->token_for("person " + std::to_string(i)));
        CHECK(subjects->person(mine.back()) == "person " + std::to_string(i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& mine : tokens) CHECK(mine == tokens[0]);
  CHECK(std::set<SubjectToken>(tokens[0].begin(), tokens[0].end()).size() == 50);
}

TEST_CASE("a directory that cannot be the subjects' says so and is named") {
  TempDir directory;
  SUBCASE("in use") {
    const auto subjects = Subjects::open(directory.path());
    CHECK(why_not_open<Subjects>(directory.path()).find("in use by another process") != std::string::npos);
    CHECK(why_not_open<Subjects>(directory.path()).find(directory.path().string()) != std::string::npos);
  }
  SUBCASE("other files") {
    std::ofstream(directory.path() / "letter.txt") << "dear";
    CHECK(why_not_open<Subjects>(directory.path()).find("letter.txt") != std::string::npos);
  }
  SUBCASE("an event log") {
    Log::open(directory.path());
    CHECK(why_not_open<Subjects>(directory.path()).find(directory.path().string()) != std::string::npos);
  }
}

namespace {

// Five persons, all of them in the write-ahead log alone.
struct Five {
  Five() {
    const auto subjects = Subjects::open(directory.path());
    for (int i = 0; i < 5; ++i) {
      tokens.push_back(subjects->token_for("person " + std::to_string(i)));
      ends.push_back(std::filesystem::file_size(wal()));
    }
  }
  std::filesystem::path wal() const {
    const auto files = wal_files(directory.path());
    REQUIRE(files.size() == 1);
    return files.front();
  }

  TempDir directory;
  std::vector<SubjectToken> tokens;
  std::vector<std::uint64_t> ends;
};

}  // namespace

TEST_CASE("names that were acknowledged and are gone with the write-ahead log are missed, and nothing is changed") {
  Five five;
  const auto file = five.wal();
  const auto whole = read_file(file, 0);
  for (const std::size_t kept : {std::size_t{0}, std::size_t{3}, std::size_t{4}}) {
    for (const std::size_t more : {std::size_t{0}, std::size_t{9}}) {
      if (kept == 0 && more == 0) std::filesystem::remove(file);
      if (kept == 0 && more != 0) write_file(file, "");
      if (kept != 0) cut_file(file, five.ends[kept - 1] + more);
      CAPTURE(kept);
      CAPTURE(more);
      const auto left = read_file(file, 0);
      const auto why = why_not_open<Subjects>(five.directory.path());
      CHECK(why.find(fmt::format("the subjects database in {} is not all there: it has {} of the 5 names that were acknowledged by ",
                                 five.directory.path().string(), kept)) == 0);
      CHECK(why.find(", " + std::to_string(5 - kept) + " are missing, and of its write-ahead log " + file.filename().string()) != why.npos);
      CHECK(why.find("`otactl log repair " + five.directory.path().parent_path().string() + "`") != why.npos);
      CHECK(read_file(file, 0) == left);
      const auto told = examine_subjects(five.directory.path());
      REQUIRE(told);
      CHECK(told->damage == why);
      CHECK(told->names == kept);
      CHECK(told->lost == 5 - kept);
      write_file(file, whole);
    }
  }
  const auto subjects = Subjects::open(five.directory.path());
  for (std::size_t i = 0; i < 5; ++i) CHECK(subjects->person(five.tokens[i]) == "person " + std::to_string(i));
}

TEST_CASE("who looks for damage among the names writes none of them anywhere else") {
  Five five;
  cut_file(five.wal(), five.ends[2]);
  const char* const before = std::getenv("TMPDIR");
  const std::string was = before ? before : "";
  TempDir elsewhere;
  ::setenv("TMPDIR", (elsewhere.path() / "none").c_str(), 1);  // nothing can be made there
  const auto told = examine_subjects(five.directory.path());
  if (before) ::setenv("TMPDIR", was.c_str(), 1);
  else ::unsetenv("TMPDIR");
  REQUIRE(told);
  CHECK(told->names == 3);
  for (const auto& entry : std::filesystem::directory_iterator(five.directory.path())) {
    CHECK_FALSE(entry.path().filename().string().starts_with("scratch-"));
  }
}

TEST_CASE("one flipped bit among the names is refused with file and place, and a repair keeps all others") {
  for (const std::size_t damaged : {std::size_t{1}, std::size_t{4}}) {
    CAPTURE(damaged);
    Five five;
    auto bytes = read_file(five.wal(), 0);
    bytes[five.ends[damaged] - 2] = static_cast<char>(bytes[five.ends[damaged] - 2] ^ 8);
    write_file(five.wal(), bytes);
    const auto why = why_not_open<Subjects>(five.directory.path());
    CHECK(why.find(five.wal().filename().string()) != why.npos);
    CHECK(why.find(fmt::format("{} {}", damaged == 4 ? "sound to byte" : "at byte", five.ends[damaged - 1])) != why.npos);
    const auto done = repair_subjects(five.directory.path());
    REQUIRE(done);
    CHECK(done->names == 4);
    CHECK_FALSE(examine_subjects(five.directory.path()));
    const auto subjects = Subjects::open(five.directory.path());
    for (std::size_t i = 0; i < 5; ++i) CHECK(subjects->person(five.tokens[i]).has_value() == (i != damaged));
    CHECK_FALSE(subjects->token_for("somebody new").empty());
  }
}

TEST_CASE("a last row of names that nobody was given is cut off, and said") {
  Five five;
  write_file(five.wal(), read_file(five.wal(), 0) + "a row that did not come to its end");
  const auto subjects = Subjects::open(five.directory.path());
  CHECK(subjects->torn_tail().find("were cut off") != std::string::npos);
  CHECK(subjects->torn_tail().find("All that was noted as acknowledged is there: 5 names, by ") != std::string::npos);
  for (std::size_t i = 0; i < 5; ++i) CHECK(subjects->person(five.tokens[i]) == "person " + std::to_string(i));
}

TEST_CASE("names that an earlier version wrote, without a count and a note, are counted once and missed from then on") {
  Five five;
  std::filesystem::remove(five.directory.path() / kAcknowledgedName);
  Subjects::open(five.directory.path());
  CHECK(read_acknowledged(five.directory.path())->count == 5);
}

namespace {

// As an earlier version left them: no count of those that were made, and no note; all in tables.
void forget_count(const std::filesystem::path& directory) {
  {
    const auto opened = open_subjects(directory, nullptr, std::make_shared<BackgroundFaults>("names"));
    REQUIRE(opened.db->Delete({}, std::string(kMadeKey)).ok());
    REQUIRE(opened.db->Flush({}).ok());
  }
  std::filesystem::remove(directory / kAcknowledgedName);
}

// Somebody is erased, and all others stay, over a restart.
void check_erasure(const std::filesystem::path& directory, SubjectToken erased, SubjectToken stays) {
  {
    const auto subjects = Subjects::open(directory);
    subjects->erase(erased);
    CHECK_FALSE(subjects->person(erased));
    CHECK(subjects->person(stays));
  }
  const auto subjects = Subjects::open(directory);
  CHECK_FALSE(subjects->person(erased));
  CHECK(subjects->person(stays));
  CHECK_FALSE(subjects->token_for("somebody new").empty());
}

}  // namespace

TEST_CASE("the first who is erased from names that an earlier version wrote is nobody who is missing") {
  Five five;
  forget_count(five.directory.path());
  check_erasure(five.directory.path(), five.tokens[2], five.tokens[4]);
  CHECK(read_acknowledged(five.directory.path())->count == 6);
}

TEST_CASE("the first who is erased behind a repair that has lost the count is nobody who is missing") {
  Five five;
  forget_count(five.directory.path());
  Subjects::open(five.directory.path())->token_for("lost");  // and with it what was counted
  for (const auto& file : wal_files(five.directory.path())) std::filesystem::remove(file);
  CHECK(why_not_open<Subjects>(five.directory.path()).find("is not all there") != std::string::npos);
  REQUIRE(repair_subjects(five.directory.path()));
  CHECK(read_acknowledged(five.directory.path())->count == 5);
  check_erasure(five.directory.path(), five.tokens[2], five.tokens[4]);
}

TEST_CASE("what a damaged note says to do is what repairs it, of the log and of the names") {
  TempDir data;
  Log::open(data.path() / "log");
  const auto ada = Subjects::open(data.path() / "subjects")->token_for("ada");
  write_file(data.path() / "log" / kAcknowledgedName, "nothing");
  write_file(data.path() / "subjects" / kAcknowledgedName, "nothing");
  const auto told = [](const std::string& why) {
    const std::string command = "`otactl log repair --apply ";
    const auto begin = why.find(command) + command.size();
    REQUIRE(why.find(command) != why.npos);
    return std::filesystem::path(why.substr(begin, why.find('`', begin) - begin));
  };
  const auto log = told(why_not_open<Log>(data.path() / "log"));
  REQUIRE(repair_log(log));
  Log::open(data.path() / "log");
  // It is told a data directory, and finds the names in it.
  const auto names = told(why_not_open<Subjects>(data.path() / "subjects"));
  REQUIRE(repair_subjects(names / "subjects"));
  CHECK(Subjects::open(data.path() / "subjects")->person(ada) == "ada");
}

TEST_CASE("a note of names for which there is no descriptor is written with the next name") {
  FaultyStore store;
  store.open_subjects();
  store.subjects->token_for("ada");
  {
    const NoDescriptors none;
    CHECK_FALSE(store.subjects->token_for("bob").empty());
  }
  CHECK_FALSE(store.has_stopped);
  CHECK(read_acknowledged(store.names.path())->count == 1);
  store.subjects->token_for("eve");
  CHECK(read_acknowledged(store.names.path())->count == 3);
}

TEST_CASE("names that cannot be written stop the service, as its log does") {
  for (const auto kind : {FaultKind::kSyncFails, FaultKind::kNoSpace, FaultKind::kWriteFails, FaultKind::kShortWrite}) {
    FaultyStore store;
    store.open_subjects();
    const auto ada = store.subjects->token_for("ada");
    const Fault fault{FileKind::kWal, kind};
    CAPTURE(text_of(fault));
    store.files->fail(fault);
    CHECK_THROWS_AS(store.subjects->token_for("bob"), std::runtime_error);
    const auto why = store.stopped.get_future().get();
    CHECK(why.find("the subjects database in " + store.names.path().string() + " cannot be written: ") == 0);
    store.files->be_sound();
    store.close();
    store.open_subjects();
    CHECK(store.subjects->person(ada) == "ada");
  }
}
