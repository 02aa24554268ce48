// A programmer's error ends the process, in every build type, with the place and the expression.
#include "eventstore/assert.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include "tests/processes/child_process.hpp"
#include "eventstore/limits.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;
using namespace ota::testing;

namespace {

void make_mistake(const std::string& mistake, Journal& journal) {
  Append append = testing::append("s", {"t"});
  NewEvent& event = append.events[0];
  if (mistake == "no events") append.events.clear();
  if (mistake == "too many events") append.events.resize(limits::kAppendEvents + 1, event);
  if (mistake == "no stream") event.stream.clear();
  if (mistake == "long stream") event.stream.assign(limits::kStreamBytes + 1, 's');
  if (mistake == "tag twice") event.tags = {"t", "u", "t"};
  if (mistake == "stream as tag") event.tags = {"s"};
  if (mistake == "empty tag") event.tags = {""};
  if (mistake == "large event") event.payload.assign(limits::kEventBytes + 1, 'p');
  if (mistake == "long correlation") event.origin.correlation.assign(65, 'c');
  if (mistake == "large append") {
    event.payload.assign(limits::kAppendBytes, 'p');
    append.events.push_back(event);
  }
  if (mistake == "empty condition") append.conditions.push_back({"", {0}});
  if (mistake == "snapshot ahead") journal.put_snapshot("s", {1}, "");
  journal.append(std::move(append), {});
}

}  // namespace

TEST_CASE("child of the assertion test" * doctest::skip()) {
  const int fd = pipe_to_parent();
  if (fd < 0) return;  // somebody runs all tests with --no-skip
  ::dup2(fd, STDERR_FILENO);
  ::signal(SIGABRT, SIG_DFL);  // doctest would catch it
  Journal journal(Log::open(variable("OTA_ASSERT_DIRECTORY")), {}, {});
  make_mistake(variable("OTA_ASSERT_MISTAKE"), journal);
}

TEST_CASE("an append beyond the limits ends the process and names the place and the expression") {
  for (const std::string mistake :
       {"no events", "too many events", "no stream", "long stream", "tag twice", "stream as tag",
        "empty tag", "large event", "long correlation", "large append", "empty condition",
        "snapshot ahead"}) {
    CAPTURE(mistake);
    TempDir directory;
    ChildProcess child(
        "child of the assertion test",
        {"OTA_ASSERT_DIRECTORY=" + directory.path().string(), "OTA_ASSERT_MISTAKE=" + mistake});
    const std::string said = child.read_all();
    CHECK(child.signal_of_end() == SIGABRT);
    CHECK(said.find("assertion failed: ") != std::string::npos);
    CHECK(said.find("eventstore/") != std::string::npos);
    CHECK(said.find(".cpp:") != std::string::npos);
  }
}

TEST_CASE("an assertion that holds costs nothing but its expression") {
  int evaluated = 0;
  OTA_ASSERT(++evaluated == 1);
  CHECK(evaluated == 1);
}
