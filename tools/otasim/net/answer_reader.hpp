// Finds head, body and end of an HTTP/1.1 answer in bytes as they arrive. Pure.
//
// Understands Content-Length, chunked coding, bodies that end with the connection, and interim
// answers (100 Continue), which it passes over. The body is not kept: each step points into the
// bytes given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/otasim/net/http_message.hpp"

namespace ota::sim {

class AnswerReader {
 public:
  // `bodiless`: the answer to a HEAD.
  explicit AnswerReader(bool bodiless = false) : bodiless_(bodiless) {}

  struct Step {
    std::size_t taken = 0;
    std::string_view body;  // what of the bytes taken is body
  };
  // Takes a part of `bytes`, at least one byte of them unless the answer is complete or broken.
  Step next(std::string_view bytes);

  // No more bytes will come: completes an answer whose end that is.
  void peer_closed();

  const HttpHead& head() const { return head_; }
  bool head_complete() const { return state_ != State::kHead; }
  bool complete() const { return state_ == State::kComplete; }
  bool broken() const { return state_ == State::kBroken; }
  bool may_continue() const { return may_continue_; }  // 100 came
  bool began() const { return began_; }

 private:
  enum class State {
    kHead,
    kBody,
    kUntilClose,
    kChunkSize,
    kChunk,
    kChunkEnd,
    kTrailer,
    kComplete,
    kBroken
  };

  std::size_t take_line(std::string_view bytes);
  void line_complete();
  void head_line();
  void head_ended();
  void chunk_size_line();

  const bool bodiless_;
  State state_ = State::kHead;
  HttpHead head_;
  std::string line_;  // the unfinished one
  std::size_t head_bytes_ = 0;
  std::int64_t left_ = 0;  // of the body, or of the chunk
  bool may_continue_ = false;
  bool began_ = false;
};

}  // namespace ota::sim
