// What the tests of the event store share: a directory that vanishes, a clock that stands still, a
// journal to ask.
#pragma once

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "eventstore/fault.hpp"
#include "eventstore/journal.hpp"
#include "eventstore/log.hpp"

namespace ota::eventstore::testing {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Why a Log or Subjects cannot be opened there; "opened" if they can.
template <class Store>
std::string why_not_open(const std::filesystem::path& directory) {
  try {
    Store::open(directory);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "opened";
}

// Stands still until it is set.
class FakeClock {
 public:
  void set(std::int64_t us) { us_ = us; }
  Timestamp now() const { return Timestamp{std::chrono::microseconds(us_.load())}; }
  std::function<Timestamp()> function() {
    return [this] { return now(); };
  }

 private:
  std::atomic<std::int64_t> us_{1'000'000};
};

// An event with storage of its own.
struct Seen {
  std::uint64_t position = 0;
  Timestamp time;
  std::string stream;
  std::uint16_t type = 0;
  std::vector<std::string> tags;
  std::string payload;
  SubjectToken caller;
  std::optional<CommandId> command;
  std::string correlation;
  std::uint64_t causation = 0;
  bool operator==(const Seen&) const = default;
};
Seen seen(const RecordedEvent& event);

// Everything that a reader visits: collect([&](const Visitor& v) { log.scan({}, v); }).
std::vector<Seen> collect(const std::function<void(const Visitor&)>& read);
std::vector<std::uint64_t> positions(const std::vector<Seen>& events);

NewEvent event(std::string stream, std::vector<std::string> tags = {}, std::string payload = "p");
Append append(std::string stream, std::vector<std::string> tags = {}, std::string payload = "p");
Append append_if(std::vector<Condition> conditions, std::string stream,
                 std::vector<std::string> tags = {});
CommandId command_id(std::uint8_t number);

// Hands an append in and waits for its outcome.
AppendOutcome ask(Journal& journal, Append append);
// Fails the test unless it commits.
Committed commit(Journal& journal, Append append);
// Waits until everything handed in before is decided and dispatched.
Committed wait_for_all(Journal& journal);

// Remembers every group.
class RecordingTail : public Tail {
 public:
  void on_group(const GroupPtr& group) override;
  std::vector<std::vector<Seen>> groups() const;
  std::vector<Seen> events() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::vector<Seen>> groups_;
};

// A log with a journal that can be opened again.
struct Store {
  explicit Store(Journal::Options options = {});
  void reopen();
  void close();

  TempDir directory;
  FakeClock clock;
  RecordingTail tail;
  Journal::Options options;
  std::shared_ptr<Log> log;
  std::unique_ptr<Journal> journal;
};

// Stops the first thread that passes the place `name` until open() is called: what is asked
// meanwhile forms one group.
class Barricade {
 public:
  explicit Barricade(std::string name);
  ~Barricade();
  Barricade(const Barricade&) = delete;
  Barricade& operator=(const Barricade&) = delete;

  void wait_until_reached();
  void open();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reached_ = false;
  bool open_ = false;
};

// Holds the writer at a group of one event, calls `ask_for_more`, lets it go, and waits for all.
void in_one_group(Journal& journal, const std::function<void()>& ask_for_more);

// No file can be opened by this process while there is one.
class NoDescriptors {
 public:
  NoDescriptors() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    rlimit none = before_;
    none.rlim_cur = 0;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

std::string hex(std::string_view bytes);
std::string from_hex(std::string_view text);

}  // namespace ota::eventstore::testing
