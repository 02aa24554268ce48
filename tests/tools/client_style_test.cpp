// tools/otasim: which client a device is, its record, and spans of time on the command line.
#include "tools/otasim/client_style.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>

#include "tools/otasim/options.hpp"
#include "tools/otasim/record.hpp"

using namespace ota::sim;
using namespace std::chrono_literals;

TEST_CASE("a mixed fleet has a third of each real client, the same with every run") {
  const Choices choices{3};
  std::map<ClientKind, int> count;
  for (int i = 0; i < 3000; ++i) {
    const std::string device = fmt::format("sim-{}", i);
    const ClientKind kind = choose_client(ClientMix::kMixed, choices, device);
    CHECK(kind == choose_client(ClientMix::kMixed, choices, device));
    ++count[kind];
  }
  CHECK(count[ClientKind::kPlain] == 0);
  for (const ClientKind kind : {ClientKind::kSwupdate, ClientKind::kRauc, ClientKind::kZephyr})
    CHECK(count[kind] > 900);
  CHECK(choose_client(ClientMix::kRauc, choices, "sim-1") == ClientKind::kRauc);
}

TEST_CASE("every style is its kind's, and every header line has its end") {
  for (const ClientKind kind :
       {ClientKind::kPlain, ClientKind::kSwupdate, ClientKind::kRauc, ClientKind::kZephyr}) {
    CHECK(style_of(kind).kind == kind);
    const CallerFields fields = caller_fields(kind);
    for (const std::string& lines : {fields.call, fields.body, fields.artifact})
      CHECK((lines.empty() || lines.ends_with("\r\n")));
  }
}

TEST_CASE("a record has one attempt an action, and keeps where it is") {
  Record record;
  Attempt& first = record.of("11");
  for (int i = 12; i < 100; ++i) record.of(fmt::format("{}", i)).reads = 1;
  first.installs = 1;
  CHECK(&record.of("11") == &first);
  CHECK(record.attempts().size() == 89);
  CHECK_FALSE(first.is_over());
  first.cancel_agreed = true;
  CHECK(first.is_over());
}

TEST_CASE("a span is one number of seconds or two") {
  CHECK(parse_span("2-10.5")->min == 2s);
  CHECK(parse_span("2-10.5")->max == 10500ms);
  CHECK(parse_span("0.25")->max == 250ms);
  CHECK(parse_span("3-3")->min == 3s);
  for (const char* text : {"", "-", "1-", "-1", "2-1", "a", "1-b", "1e3", "1-2-3", "nan", "100000"})
    CHECK_MESSAGE(!parse_span(text), text);
}
