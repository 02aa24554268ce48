// What an answer means for a device: go on, try again later, or give up. Pure.
#pragma once

#include "tools/otasim/client_style.hpp"
#include "tools/otasim/net/http_message.hpp"

namespace ota::sim {

enum class AnswerClass {
  kOk,        // complete, with a status that the client takes for success
  kGone,      // 404, 410: the action ended without us
  kLater,     // no complete answer, 5xx, or a status that says so
  kRejected,  // any other: repeating it would not help
};

inline AnswerClass classify(const HttpAnswer& answer, const ClientStyle& style) {
  if (!answer.complete || answer.head.status >= 500) return AnswerClass::kLater;
  switch (answer.head.status) {
    case 200:
      return AnswerClass::kOk;
    case 201:
    case 204:
    case 206:
      return style.takes_any_2xx ? AnswerClass::kOk : AnswerClass::kRejected;
    case 404:
    case 410:
      return AnswerClass::kGone;
    case 401:  // credentials may be put right while we wait
    case 403:
    case 408:
    case 409:
    case 425:
    case 429:
      return AnswerClass::kLater;
    default:
      return AnswerClass::kRejected;
  }
}

}  // namespace ota::sim
