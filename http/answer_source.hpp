// Where the bytes of an answer without an end come from (endless_answers.hpp).
//
// Made by a handler, and used from then on by the one thread of the endless answers, which ends it too. What is read here is
// kept only until it has been sent: a source whose reader is slow is not asked, so that it needs no queue of its own.
#pragma once

#include <cstdint>
#include <string>

namespace ota::http {

class AnswerSource {
 public:
  enum class Next : std::uint8_t {
    kMore,     // there is more, or it has not looked everywhere yet
    kNothing,  // until EndlessOptions::news is rung
  };

  virtual ~AnswerSource() = default;
  // Appends what is sent next: some ten kilobytes, found in some milliseconds, as the others wait meanwhile; or nothing.
  // An exception breaks the answer off.
  virtual Next read(std::string& out) = 0;
  // Appends what says no more than that we are still here.
  virtual void read_silence(std::string& out) = 0;
};

}  // namespace ota::http
