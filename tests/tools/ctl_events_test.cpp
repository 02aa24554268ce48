// tools/otactl: server-sent events out of bytes, and a stream that breaks off.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "http/front_door.hpp"
#include "tools/otactl/event_messages.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/service_client.hpp"

using namespace ota;
using Messages = std::vector<std::string>;

namespace {

Messages read_in_pieces(std::string_view text, std::size_t piece) {
  ctl::EventMessages messages;
  Messages found;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    messages.add(text.substr(0, piece), [&](const ctl::EventMessage& message) {
      found.push_back(message.id + "|" + message.type + "|" + message.data);
    });
  }
  return found;
}

}  // namespace

TEST_CASE("messages are the same however the bytes are cut, and whatever ends a line") {
  const std::string text = "retry: 2000\n\n: keep-alive\n\nid: 7\nevent: a.b\ndata: {\"x\":1}\n\nid:8\r\ndata:one\r\ndata: two\r\n\r\n"
                           "event: nothing\n\ndata\n\nid: 9\rdata: cr\r\rid: 10\ndata: unfinished\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    CAPTURE(piece);
    CHECK(read_in_pieces(text, piece) == Messages{"7|a.b|{\"x\":1}", "8||one\ntwo", "8||", "9||cr"});
  }
}

TEST_CASE("what was begun when a stream broke off is forgotten, the last id is not") {
  ctl::EventMessages messages;
  Messages found;
  const auto take = [&](const ctl::EventMessage& message) { found.push_back(message.id + "|" + message.data); };
  messages.add("id: 7\ndata: a\n\nid: 7\ndata: hal", take);
  messages.begin_anew();
  messages.add("data: b\n\n", take);
  CHECK(found == Messages{"7|a", "7|b"});
}

TEST_CASE("a stream hands on what comes, says how it ended, and an error is an answer") {
  http::FrontDoorOptions options;
  options.port = 0;
  options.handler_threads = 2;
  http::FrontDoor door(options, [](http::RequestContext& context) {
    if (context.path() != "/api/v1/ota/good") return context.answer(http::Problem::unavailable("later", 5));
    context.answer_text(200, "id: " + std::string(context.header("Last-Event-ID").value_or("")), "text/event-stream");
  });
  door.start();
  ctl::ServiceSettings settings;
  settings.server = "http://127.0.0.1:" + std::to_string(door.port());
  ctl::ServiceClient client(settings);
  std::string taken;
  const auto good = client.stream("/good", "17", [&](std::string_view bytes) {
    taken += bytes;
    return true;
  });
  CHECK(taken == "id: 17");
  CHECK(good.reply.ok());
  CHECK(good.why == "the service has ended the stream");
  const auto refused = client.stream("/bad", "0", [&](std::string_view) {
    FAIL("no event");
    return true;
  });
  CHECK(refused.reply.status == 503);
  CHECK(refused.reply.body.find("later") != std::string::npos);
  CHECK_THROWS_WITH_AS(client.stream("/good", "1", [](std::string_view) -> bool { throw ctl::Failure(1, "broken"); }), "broken",
                       ctl::Failure);
  const auto enough = client.stream("/good", "18", [](std::string_view) { return false; });
  CHECK(enough.had_enough);
  door.stop();
  const auto gone = client.stream("/good", "1", [](std::string_view) { return true; });
  CHECK(gone.reply.status == 0);
  CHECK_FALSE(gone.why.empty());
}
