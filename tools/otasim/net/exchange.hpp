// One request on its way: what is sent, who waits for the answer, and how often it was tried.
// Plain data.
#pragma once

#include <cstdint>
#include <optional>

#include "tools/otasim/net/bad_network.hpp"
#include "tools/otasim/net/http_message.hpp"
#include "tools/otasim/net/request_text.hpp"
#include "tools/otasim/net/url.hpp"

namespace ota::sim {

struct Exchange {
  std::uint64_t id = 0;
  HttpRequest request;
  OnAnswer on_answer;
  Url url;
  RequestText text;
  std::optional<NetworkFault> fault;  // of this attempt to send it
  unsigned redirects = 0;
  // A connection that had been open closed before any byte of the answer: the server no longer knew
  // it, and the next one is new.
  bool wants_new_connection = false;
};

}  // namespace ota::sim
