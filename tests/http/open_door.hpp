// A front door on a free port that listens while it lives, for tests.
#pragma once

#include <string>
#include <utility>

#include "http/front_door.hpp"
#include "http/limits.hpp"
#include "tests/http/raw_client.hpp"

namespace ota::http::test {

// Answers what was asked, and the body.
inline void echo(RequestContext& context) {
  std::string body;
  if (const auto problem = read_whole_body(context.body_stream(), limits::kBodyBytes, body)) {
    return context.answer(*problem);
  }
  context.answer_text(200, std::string(context.method()) + " " + std::string(context.path()) + " " + body, "text/plain");
}

inline FrontDoorOptions on_free_port() {
  FrontDoorOptions options;
  options.port = 0;
  options.handler_threads = 4;
  return options;
}

struct OpenDoor {
  explicit OpenDoor(FrontDoorOptions options = on_free_port(), FrontDoor::Handler handler = echo)
      : door(std::move(options), std::move(handler)) {
    door.start();
  }
  RawClient connect() { return RawClient(door.port()); }
  FrontDoor door;
};

}  // namespace ota::http::test
