#include "tools/otasim/net/answer_reader.hpp"

#include <algorithm>
#include <charconv>

namespace ota::sim {
namespace {

// Of a head or of trailers: no server that devices speak to sends a tenth of it.
constexpr std::size_t kHeadBytesMax = 64 * 1024;

bool has_no_body(long status) { return status == 204 || status == 304; }

}  // namespace

AnswerReader::Step AnswerReader::next(std::string_view bytes) {
  began_ = true;
  switch (state_) {
    case State::kHead:
    case State::kChunkSize:
    case State::kChunkEnd:
    case State::kTrailer:
      return {take_line(bytes), {}};
    case State::kBody:
    case State::kChunk: {
      const auto size = std::min<std::size_t>(static_cast<std::size_t>(left_), bytes.size());
      left_ -= static_cast<std::int64_t>(size);
      if (left_ == 0) state_ = state_ == State::kBody ? State::kComplete : State::kChunkEnd;
      return {size, bytes.substr(0, size)};
    }
    case State::kUntilClose:
      return {bytes.size(), bytes};
    case State::kComplete:
    case State::kBroken:
      return {};
  }
  return {};
}

std::size_t AnswerReader::take_line(std::string_view bytes) {
  const auto end = bytes.find('\n');
  const std::size_t taken = end == std::string_view::npos ? bytes.size() : end + 1;
  head_bytes_ += taken;
  if (head_bytes_ > kHeadBytesMax) {
    state_ = State::kBroken;
    return taken;
  }
  line_.append(bytes.substr(0, taken));
  if (end == std::string_view::npos) return taken;
  while (line_.ends_with('\n') || line_.ends_with('\r')) line_.pop_back();
  line_complete();
  line_.clear();
  return taken;
}

void AnswerReader::line_complete() {
  switch (state_) {
    case State::kHead:
      return head_line();
    case State::kChunkSize:
      return chunk_size_line();
    case State::kChunkEnd:
      state_ = line_.empty() ? State::kChunkSize : State::kBroken;
      return;
    case State::kTrailer:
      if (line_.empty()) state_ = State::kComplete;
      return;
    default:
      return;
  }
}

void AnswerReader::head_line() {
  if (!line_.empty()) {
    if (head_.status == 0 && !line_.starts_with("HTTP/1.")) state_ = State::kBroken;
    return read_header_line(line_, head_);
  }
  head_ended();
}

void AnswerReader::head_ended() {
  if (head_.status < 100 || head_.malformed) {
    state_ = State::kBroken;
  } else if (head_.status < 200) {
    may_continue_ = may_continue_ || head_.status == 100;
    head_ = {};
  } else if (bodiless_ || has_no_body(head_.status)) {
    state_ = State::kComplete;
  } else if (head_.chunked) {
    state_ = State::kChunkSize;
  } else if (head_.length) {
    left_ = *head_.length;
    state_ = left_ > 0 ? State::kBody : State::kComplete;
  } else {
    head_.closes = true;
    state_ = State::kUntilClose;
  }
}

void AnswerReader::chunk_size_line() {
  const char* end = line_.data() + line_.size();
  std::int64_t size = -1;
  const auto [stop, error] = std::from_chars(line_.data(), end, size, 16);
  const bool fine =
      error == std::errc{} && size >= 0 && (stop == end || *stop == ';' || *stop == ' ');
  if (!fine) {
    state_ = State::kBroken;
    return;
  }
  left_ = size;
  state_ = size > 0 ? State::kChunk : State::kTrailer;
}

void AnswerReader::peer_closed() {
  if (state_ == State::kUntilClose) state_ = State::kComplete;
}

}  // namespace ota::sim
