// A directory that vanishes: whose process lives keeps it, whose process is dead loses it, and a log takes no notice of it.
#include "eventstore/scratch.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include "backed_up.hpp"
#include "eventstore/durable_files.hpp"
#include "eventstore/repair.hpp"
#include "eventstore/subjects_repair.hpp"
#include "eventstore/wal_file.hpp"
#include "support.hpp"
#include "tests/processes/child_process.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;
using namespace ota::testing;

namespace {

constexpr const char* kScratchChild = "child that holds a scratch directory";

std::size_t count_scratch(const std::filesystem::path& in) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(in)) {
    count += entry.path().filename().string().find("scratch-") != std::string::npos;
  }
  return count;
}

// Another process that has one beside a database, with a file in it, until it is killed.
class Holder {
 public:
  explicit Holder(const std::filesystem::path& beside) : child_(kScratchChild, {"OTA_SCRATCH_BESIDE=" + beside.string()}) {
    std::uint64_t bytes = 0;
    REQUIRE(child_.read(&bytes, sizeof bytes));
    std::string name(bytes, '\0');
    REQUIRE(child_.read(name.data(), name.size()));
    path_ = name;
  }
  const std::filesystem::path& path() const { return path_; }
  void kill() {
    child_.kill();
    REQUIRE(child_.signal_of_end() == SIGKILL);
  }

 private:
  ChildProcess child_;
  std::filesystem::path path_;
};

// Temporary files are made there meanwhile.
class TemporaryFiles {
 public:
  explicit TemporaryFiles(const std::filesystem::path& in) {
    if (const char* const before = std::getenv("TMPDIR")) before_ = before;
    ::setenv("TMPDIR", in.c_str(), 1);
  }
  ~TemporaryFiles() {
    if (before_) ::setenv("TMPDIR", before_->c_str(), 1);
    else ::unsetenv("TMPDIR");
  }
  TemporaryFiles(const TemporaryFiles&) = delete;
  TemporaryFiles& operator=(const TemporaryFiles&) = delete;

 private:
  std::optional<std::string> before_;
};

// A directory that this process may read, and not write, meanwhile: also that of a superuser, who gives up being one.
class OnlyToBeRead {
 public:
  explicit OnlyToBeRead(const std::filesystem::path& directory) : directory_(directory) {
    std::filesystem::permissions(directory, std::filesystem::perms(0555));
    if (was_superuser_) REQUIRE(::seteuid(65'534) == 0);
  }
  ~OnlyToBeRead() {
    if (was_superuser_) CHECK(::seteuid(0) == 0);
    std::filesystem::permissions(directory_, std::filesystem::perms(0700));
  }
  OnlyToBeRead(const OnlyToBeRead&) = delete;
  OnlyToBeRead& operator=(const OnlyToBeRead&) = delete;

 private:
  const std::filesystem::path directory_;
  const bool was_superuser_ = ::geteuid() == 0;
};

// A log with some events, all of them in its write-ahead log.
void write_some(Store& store) {
  store.reopen();
  for (int i = 0; i < 50; ++i) store.journal->append(append("s", {"t"}, std::string(100, 'p')), {});
  wait_for_all(*store.journal);
  store.close();
}

// One bit in the middle of the write-ahead log.
void damage(const std::filesystem::path& log) {
  const auto file = wal_files(log).front();
  auto bytes = read_file(file, 0);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 8);
  write_file(file, bytes);
}

}  // namespace

TEST_CASE("child that holds a scratch directory" * doctest::skip()) {
  const int fd = pipe_to_parent();
  if (fd < 0) return;  // somebody runs all tests with --no-skip
  const Scratch held(variable("OTA_SCRATCH_BESIDE"));
  write_file(held.path() / "000012.log", "the records of somebody, and a name: Augusta King");
  const std::string name = held.path().string();
  const std::uint64_t bytes = name.size();
  REQUIRE(::write(fd, &bytes, sizeof bytes) == static_cast<ssize_t>(sizeof bytes));
  REQUIRE(::write(fd, name.data(), name.size()) == static_cast<ssize_t>(name.size()));
  for (;;) ::pause();
}

TEST_CASE("what a living process holds stays, whoever comes by; what is left of it when it is killed goes with the next") {
  TempDir beside;
  std::filesystem::create_directories(beside.path() / "scratch-notes of somebody");
  Holder holder(beside.path());
  CHECK(holder.path().parent_path() == beside.path());
  CHECK(remove_left_scratch(beside.path()));
  {
    const Scratch other(beside.path());
    CHECK(other.path().parent_path() == beside.path());
    CHECK(std::filesystem::exists(holder.path() / "000012.log"));
    const Scratch third(beside.path());
    CHECK(std::filesystem::exists(other.path()));
  }
  CHECK(std::filesystem::exists(holder.path() / "000012.log"));
  holder.kill();
  CHECK(std::filesystem::exists(holder.path() / "000012.log"));
  SUBCASE("one that needs one itself") { const Scratch next(beside.path()); }
  SUBCASE("one that cleans up") { CHECK_FALSE(remove_left_scratch(beside.path())); }
  CHECK_FALSE(std::filesystem::exists(holder.path()));
  CHECK(std::filesystem::exists(beside.path() / "scratch-notes of somebody"));
}

TEST_CASE("a start takes no notice of what somebody who looks for damage holds, and removes it when they are dead") {
  Store store;
  write_some(store);
  const auto& log = store.directory.path();
  const auto bytes = Log::open_read_only(log)->stats().disk_bytes;
  const auto files = wal_files(log);
  Holder holder(log);
  CHECK(wal_files(log) == files);
  CHECK(Log::open_read_only(log)->stats().disk_bytes == bytes);
  CHECK_FALSE(examine_log(log));
  CHECK(verify(*Log::open_read_only(log), {}).findings.empty());
  store.reopen();
  CHECK(store.log->head() == Position{50});
  CHECK(std::filesystem::exists(holder.path() / "000012.log"));
  store.close();
  holder.kill();
  store.reopen();
  CHECK_FALSE(std::filesystem::exists(holder.path()));
}

TEST_CASE("no backup has what somebody who looks for damage copies meanwhile") {
  BackedUp b;
  b.write(100);
  const Holder of_log(b.store.directory.path());
  const Holder of_names(b.place.path() / "names");
  CHECK_FALSE(b.subjects->token_for("grace").empty());
  b.backups.take(*b.store.log, *b.subjects);
  const auto data = b.place.path() / "restored";
  b.backups.restore(data);
  CHECK(b.verified(data) == b.store.log->head().value);
  for (const auto* place : {"backups", "restored"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(b.place.path() / place)) {
      CHECK_MESSAGE(entry.path().string().find("scratch") == std::string::npos, entry.path().string());
    }
  }
}

TEST_CASE("a repair copies what is sound beside the log, and what one left that was killed goes with the next") {
  Store store;
  write_some(store);
  const auto& log = store.directory.path();
  damage(log);
  TempDir elsewhere;
  const TemporaryFiles nowhere(elsewhere.path() / "none");  // nothing can be made there
  Holder living(log);
  Holder killed(log);
  killed.kill();
  SUBCASE("one that only looks") { REQUIRE(examine_log(log)); }
  SUBCASE("one that repairs") {
    REQUIRE(repair_log(log));
    CHECK_FALSE(examine_log(log));
  }
  CHECK_FALSE(std::filesystem::exists(killed.path()));
  CHECK(std::filesystem::exists(living.path()));
  CHECK(count_scratch(log) == 1);
}

TEST_CASE("a copy of log and names that is only to be read is looked at all the same, and leaves nothing") {
  Store store;
  write_some(store);
  TempDir names;
  { CHECK_FALSE(Subjects::open(names.path())->token_for("grace").empty()); }
  damage(store.directory.path());
  cut_file(wal_files(names.path()).front(), std::filesystem::file_size(wal_files(names.path()).front()) - 1);
  TempDir temporary;
  std::filesystem::permissions(temporary.path(), std::filesystem::perms(0777));
  const TemporaryFiles there(temporary.path());
  {
    std::filesystem::permissions(names.path(), std::filesystem::perms(0755));
    const OnlyToBeRead read_only(store.directory.path());
    CHECK(examine_log(store.directory.path()));
    CHECK(examine_subjects(names.path()));
    // Nobody else reads what is made among everybody's files.
    const Scratch made(store.directory.path());
    CHECK(made.path().parent_path() == temporary.path());
    CHECK(std::filesystem::status(made.path()).permissions() == std::filesystem::perms::owner_all);
  }
  for (const auto& directory : {store.directory.path(), names.path(), temporary.path()}) CHECK(count_scratch(directory) == 0);
}

TEST_CASE("what does not fit beside a database is put among the temporary files, and goes from there as well") {
  TempDir beside;
  TempDir temporary;
  const TemporaryFiles there(temporary.path());
  std::filesystem::create_directories(temporary.path() / "scratch-abcdef");  // may be anybody's
  std::filesystem::create_directories(temporary.path() / "ota-scratch-abcdef");
  {
    const Scratch made(beside.path(), UINTMAX_MAX);
    CHECK(made.path().parent_path() == temporary.path());
    CHECK(count_scratch(temporary.path()) == 2);
  }
  CHECK(count_scratch(temporary.path()) == 1);
  CHECK(std::filesystem::exists(temporary.path() / "scratch-abcdef"));
}

TEST_CASE("an erasure leaves the names that somebody looks at, and the next start or erasure clears them if that one was killed") {
  TempDir directory;
  auto subjects = Subjects::open(directory.path());
  const auto ada = subjects->token_for("Augusta King");
  Holder holder(directory.path());
  subjects->erase(ada);
  CHECK_FALSE(subjects->person(ada));
  CHECK(std::filesystem::exists(holder.path() / "000012.log"));
  CHECK(subjects->is_erasure_due());
  std::ofstream(directory.path() / "scratch-notes1") << "a file is no copy";
  SUBCASE("which goes on") {
    CHECK_NOTHROW(subjects->erase_leftovers());
    CHECK(subjects->is_erasure_due());
  }
  SUBCASE("an erasure") {
    holder.kill();
    subjects->erase_leftovers();
    CHECK_FALSE(std::filesystem::exists(holder.path()));
    CHECK_FALSE(subjects->is_erasure_due());
  }
  SUBCASE("a start") {
    holder.kill();
    subjects.reset();
    subjects = Subjects::open(directory.path());
    CHECK_FALSE(std::filesystem::exists(holder.path()));
  }
}

TEST_CASE("who looks for damage among the names while somebody is erased finds none") {
  TempDir directory;
  const auto subjects = Subjects::open(directory.path());
  std::atomic<bool> enough{false};
  std::thread eraser([&] {
    for (int i = 0; !enough; ++i) subjects->erase(subjects->token_for("person " + std::to_string(i)));
  });
  std::string found;
  for (int i = 0; i < 50 && (found.empty() || found == "it was done"); ++i) found = why_not([&] {
    if (const auto report = examine_subjects(directory.path())) throw std::runtime_error("damage: " + report->damage);
  });
  enough = true;
  eraser.join();
  CHECK(found == "it was done");
}
