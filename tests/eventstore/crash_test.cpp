// Kills a process that appends, again and again in one directory: what was answered is there, dense
// and provable.
//
// The child is this very binary, started with only the test case "child of the crash test". It
// writes each answer into a pipe from the journal's completion; the parent kills it after some
// number of answers, or the child kills itself at a fault point. No time is involved. 200 kills, 2,000 with OTA_TEST_LONG=1.
#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <map>
#include <random>
#include <semaphore>
#include <thread>

#include "tests/processes/child_process.hpp"
#include "eventstore/checkpoint.hpp"
#include "eventstore/verify.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;
using namespace ota::testing;

namespace {

constexpr const char* kChild = "child of the crash test";

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // a start takes ten times as long
#else
constexpr bool kSanitized = false;
#endif

// What the child tells of an append. Less than PIPE_BUF, so whole or not at all.
struct Answer {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::uint64_t payload = 0;  // of its first event
};

std::string text(std::uint64_t number) { return fmt::format("{:016x}", number); }

constexpr const char* kOrigin = "ota-log/crash";

bool is_long() { return variable("OTA_TEST_LONG") == "1"; }

// What the tree and the checkpoints say of every event, and what the indexes hold, against the events.
void check_proof(const std::filesystem::path& directory, const VerifierKey& key) {
  const auto found = verify(*Log::open_read_only(directory), {{{key, {1}, {}}}, {}, 0, {}});
  for (const auto& finding : found.findings) FAIL_CHECK(finding.first.value, ": ", finding.what);
  CHECK(found.is_sound());
  CHECK(found.events == found.head.value);
}

}  // namespace

TEST_CASE("child of the crash test" * doctest::skip()) {
  const int fd = pipe_to_parent();
  if (fd < 0) return;  // somebody runs all tests with --no-skip
  const auto log = Log::open(variable("OTA_CRASH_DIRECTORY"));
  Journal::Options options;
  options.signer = std::make_shared<const Signer>(Signer{kOrigin, SigningKey::read(variable("OTA_CRASH_KEY"))});
  Journal journal(log, {}, std::move(options));
  std::vector<std::thread> senders;
  for (std::uint64_t sender = 0; sender < 4; ++sender) {
    senders.emplace_back([&, sender] {
      std::mt19937_64 random(log->head().value * 4 + sender);
      std::counting_semaphore<64> window(24);
      for (;;) {  // until killed
        window.acquire();
        const std::uint64_t payload = random();
        Append append = ota::eventstore::testing::append(fmt::format("s{}", random() % 50), {"all"}, text(payload));
        for (std::uint64_t more = random() % 3; more > 0; --more) {
          append.events.push_back(event(fmt::format("r{}", random() % 50), {"all"}));
        }
        if (random() % 64 == 0) journal.checkpoint({});
        if (random() % 16 == 0) {
          if (const Position head = log->head(); head.value != 0) {
            journal.put_snapshot("s1", head, text(head.value));
          }
        }
        journal.append(std::move(append), [&window, fd, payload](const AppendOutcome& outcome) {
          const auto& committed = std::get<Committed>(outcome);
          const Answer answer{committed.first.value, committed.count, payload};
          if (::write(fd, &answer, sizeof answer) != sizeof answer) ::_exit(98);
          window.release();
        });
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
}

TEST_CASE("whatever moment a process is killed at, what it answered is there, dense and provable") {
  const auto seed = static_cast<unsigned>(::getpid());
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::size_t kills = is_long() ? 2'000 : kSanitized ? 24 : 200;
  std::vector<std::string> faults;
  for (const char* place : {"journal.before_write", "journal.after_write", "journal.before_tails",
                            "journal.before_completions"}) {
    faults.push_back(fmt::format("{}:1", place));
    for (std::size_t i = 0; i < kills / 8; ++i) faults.push_back(fmt::format("{}:{}", place, 2 + random() % 12));
  }
  const std::size_t from_outside = faults.size();
  faults.resize(std::max(kills, from_outside + 12));

  TempDir parent;
  const auto key = SigningKey::make();
  const auto key_file = parent.path() / "key.pem";
  key.write(key_file);
  const VerifierKey verifier{kOrigin, key.public_key()};
  const auto directory = parent.path() / "log";
  std::map<std::uint64_t, Answer> answered;
  for (std::size_t round = 0; round < faults.size(); ++round) {
    CAPTURE(round);
    CAPTURE(faults[round]);
    const std::uint64_t answered_to = answered.empty() ? 0 : answered.rbegin()->first;
    ChildProcess child(kChild, {"OTA_CRASH_DIRECTORY=" + directory.string(), "OTA_CRASH_KEY=" + key_file.string(),
                                "OTA_FAULT=" + faults[round]});
    // The first of those killed from outside dies while it starts.
    const std::uint64_t answers_max = round == from_outside ? 0 : random() % 200;
    Answer answer;
    for (std::uint64_t i = 0; i < answers_max && child.read(&answer, sizeof answer); ++i) {
      answered[answer.first] = answer;
    }
    if (faults[round].empty()) child.kill();
    while (child.read(&answer, sizeof answer)) answered[answer.first] = answer;
    REQUIRE(child.signal_of_end() == SIGKILL);

    // The next child opens it to write, and would not get so far as to be killed if it could not. Opening it that way here, too,
    // would be a third of the time.
    const auto log = round % 20 == 0 ? Log::open(directory) : Log::open_read_only(directory);
    if (!answered.empty()) {
      const Answer& last = answered.rbegin()->second;
      REQUIRE(log->head().value >= last.first + last.count - 1);
    }
    // What was answered in this round has the content that was asked for.
    for (auto next = answered.upper_bound(answered_to); next != answered.end(); ++next) {
      const bool found = log->read_one({next->first}, [&](const RecordedEvent& event) {
        CHECK(event.payload == text(next->second.payload));
        return true;
      });
      REQUIRE(found);
    }
    if (const auto snapshot = log->snapshot("s1")) {
      CHECK(snapshot->position <= log->head());
      CHECK(snapshot->bytes == text(snapshot->position.value));
    }
    if (round % 20 == 19) check_proof(directory, verifier);
  }
  CHECK(faults.size() >= kills);

  {
    const auto log = Log::open(directory);
    const auto all = collect([&](const Visitor& v) { log->scan({}, v); });  // throws on a hole
    CHECK(all.size() == log->head().value);
    CHECK(collect([&](const Visitor& v) { log->read_tag("all", {}, v); }) == all);
    std::size_t in_streams = 0;
    for (int i = 0; i < 50; ++i) {
      for (const char* kind : {"s", "r"}) {
        const std::string stream = kind + std::to_string(i);
        in_streams += collect([&](const Visitor& v) { log->read_stream(stream, {}, v); }).size();
      }
    }
    CHECK(in_streams == all.size());
    MESSAGE(faults.size(), " kills, ", answered.size(), " answers, ", all.size(), " events");
  }
  check_proof(directory, verifier);
}
