// Which log and which names a backup goes with: two that are alike, but for what makes the difference.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "backed_up.hpp"
#include "eventstore/fault.hpp"
#include "eventstore/restore_place.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

// Another life of the log that is in a backup, which ends where that does.
struct Copy {
  explicit Copy(const BackedUp& of) : directory(of.place.path() / "copy") {
    of.backups.restore(directory);
    log = Log::open(directory / "log");
    names = Subjects::open(directory / "subjects");
    Journal::Options options;
    options.signer = of.signer;
    journal = std::make_unique<Journal>(log, std::vector<Tail*>{}, options);
  }
  void write(std::size_t events) {
    for (std::size_t i = 0; i < events; ++i) journal->append(append("of the copy", {"t"}, "a payload"), {});
    wait_for_all(*journal);
  }
  fs::path directory;
  std::shared_ptr<Log> log;
  std::unique_ptr<Subjects> names;
  std::unique_ptr<Journal> journal;
};

}  // namespace

TEST_CASE("the names of a backup are not those of the next one, though both began at the same event") {
  BackedUp b;
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  b.subjects->token_for("grace");
  const auto killed = b.place.path() / "killed";
  fault::set_hook([&](std::string_view passed) {
    if (passed == "backups.log_taken") fs::copy(b.place.path() / "backups", killed, fs::copy_options::recursive);
  });
  b.backups.take(*b.store.log, *b.subjects);
  fault::set_hook({});
  const Backups cut_off(killed);
  CHECK(why_not([&] { cut_off.check(); }).find("backup 2 in " + killed.string() + " has no names that go with it") == 0);
  CHECK(why_not([&] { cut_off.restore(b.place.path() / "data"); }).find("has no names that go with it") != std::string::npos);
  CHECK(cut_off.check(1).id == 1);
  CHECK(b.backups.check().id == 2);
}

TEST_CASE("a copy that went on by itself takes no backups beside those of the log that it was copied from") {
  BackedUp b;
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  Copy copy(b);
  SUBCASE("as long as it is the same") {
    copy.write(5);
    CHECK(b.backups.take(*copy.log, *copy.names).head.value == 15);
  }
  SUBCASE("while it has less") {
    b.write(5);
    b.backups.take(*b.store.log, *b.subjects);
    CHECK(why_not([&] { b.backups.take(*copy.log, *copy.names); }).find("has 15 events, and this log has 10: this log was set back") != std::string::npos);
  }
  SUBCASE("and when it has more, which are others") {
    b.write(5);
    b.backups.take(*b.store.log, *b.subjects);
    copy.write(20);
    CHECK(why_not([&] { b.backups.take(*copy.log, *copy.names); }).find("of which event 15 is another one here") != std::string::npos);
  }
  b.backups.check();
}

TEST_CASE("what a restore that was killed has left does not stand beside a log that is restored without names") {
  BackedUp b;
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  const auto data = b.place.path() / "data";
  fs::create_directories(data / "subjects");
  std::ofstream(data / "subjects" / "RESTORE");
  REQUIRE(why_not([&] { refuse_half_restored(data); }).find("is not finished") != std::string::npos);
  fs::remove_all(b.place.path() / "backups" / "subjects");
  b.backups.restore(data, 0, NamesOf::kWhateverIsThere);
  CHECK(b.verified(data) == 10);
  CHECK_FALSE(fs::exists(data / "subjects"));
}

TEST_CASE("a log is looked at without any name being written") {
  BackedUp b;
  b.subjects->token_for("ada");
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  const auto data = b.place.path() / "data";
  bool any = false;
  fault::set_hook([&](std::string_view passed) { any = any || passed == "backups.names_shown"; });
  b.backups.restore(data, 0, NamesOf::kNone);
  fault::set_hook({});
  CHECK(b.verified(data) == 10);
  CHECK_FALSE(any);
  CHECK_FALSE(fs::exists(data / "subjects"));
}

TEST_CASE("a directory that cannot be made is named, and why") {
  BackedUp b;
  b.write(1);
  b.backups.take(*b.store.log, *b.subjects);
  std::ofstream(b.place.path() / "file") << "in the way";
  const auto why = why_not([&] { b.backups.restore(b.place.path() / "file" / "data"); });
  CHECK_MESSAGE(why.find("file/data cannot be made: Not a directory") != why.npos, why);
}
