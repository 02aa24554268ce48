#include "http/connection_body.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "http/chunked.hpp"
#include "http/limits.hpp"

namespace ota::http {

ConnectionBody::ConnectionBody(Connection& connection, const RequestHead& head, Pace pace,
                               std::optional<Places::Place> place)
    : connection_(connection),
      watch_(pace),
      place_(std::move(place)),
      declared_(head.chunked ? std::nullopt
                             : std::optional<std::uint64_t>(head.content_length.value_or(0))),
      left_(declared_.value_or(0)),
      chunk_(head.chunked ? Chunk::kSize : Chunk::kDone),
      expects_continue_(head.expects_continue && head.has_body()) {}

std::optional<std::uint64_t> ConnectionBody::declared_size() const { return declared_; }

BodyRead ConnectionBody::read(char* out, std::size_t size) {
  if (failed_ != BodyOutcome::kBytes) return {failed_, 0};
  if (!ask_to_continue()) return {failed_ = BodyOutcome::kCutOff, 0};
  const BodyRead read = declared_ ? read_counted(out, size) : read_chunked(out, size);
  if (read.outcome == BodyOutcome::kBytes) return read;
  if (read.outcome != BodyOutcome::kEnd) failed_ = read.outcome;
  place_.reset();
  return read;
}

bool ConnectionBody::ask_to_continue() {
  if (!expects_continue_) return true;
  expects_continue_ = false;
  // A client that did not wait has sent its body already.
  return !connection_.unread().empty() ||
         connection_.send("HTTP/1.1 100 Continue\r\n\r\n", {}, watch_);
}

BodyRead ConnectionBody::read_counted(char* out, std::size_t size) {
  if (left_ == 0) return {BodyOutcome::kEnd, 0};
  const BodyRead read = take(out, static_cast<std::size_t>(std::min<std::uint64_t>(size, left_)));
  left_ -= read.count;
  return read;
}

BodyRead ConnectionBody::take(char* out, std::size_t size) {
  const std::string_view unread = connection_.unread();
  if (!unread.empty()) {
    const std::size_t count = std::min(size, unread.size());
    std::memcpy(out, unread.data(), count);
    connection_.consume(count);
    return {BodyOutcome::kBytes, count};
  }
  const std::ptrdiff_t count = connection_.receive(out, size, watch_.deadline());
  if (count <= 0) return {failure_of(count), 0};
  watch_.moved(static_cast<std::uint64_t>(count));
  return {BodyOutcome::kBytes, static_cast<std::size_t>(count)};
}

BodyOutcome ConnectionBody::failure_of(std::ptrdiff_t received) const {
  return received < 0 && errno == ETIMEDOUT ? BodyOutcome::kTooSlow : BodyOutcome::kCutOff;
}

BodyOutcome ConnectionBody::receive_more() {
  char bytes[4096];
  const std::ptrdiff_t count = connection_.receive(bytes, sizeof bytes, watch_.deadline());
  if (count <= 0) return failure_of(count);
  watch_.moved(static_cast<std::uint64_t>(count));
  connection_.append({bytes, static_cast<std::size_t>(count)});
  return BodyOutcome::kBytes;
}

BodyOutcome ConnectionBody::take_line(std::string& line, std::size_t bytes_max) {
  for (;;) {
    const Line first = first_line(connection_.unread(), bytes_max);
    if (first.outcome == LineOutcome::kTooLong) return BodyOutcome::kMalformed;
    if (first.outcome == LineOutcome::kWhole) {
      line = first.text;
      connection_.consume(line.size() + 2);
      return BodyOutcome::kBytes;
    }
    const BodyOutcome more = receive_more();
    if (more != BodyOutcome::kBytes) return more;
  }
}

BodyRead ConnectionBody::read_chunked(char* out, std::size_t size) {
  std::string line;
  for (;;) {
    switch (chunk_) {
      case Chunk::kSize: {
        const BodyOutcome taken = take_line(line, limits::kChunkLineBytes);
        if (taken != BodyOutcome::kBytes) return {taken, 0};
        const auto bytes = chunk_size(line);
        if (!bytes) return {BodyOutcome::kMalformed, 0};
        left_ = *bytes;
        chunk_ = left_ == 0 ? Chunk::kTrailer : Chunk::kData;
        break;
      }
      case Chunk::kData: {
        const BodyRead read =
            take(out, static_cast<std::size_t>(std::min<std::uint64_t>(size, left_)));
        left_ -= read.count;
        if (left_ == 0) chunk_ = Chunk::kDataEnd;
        return read;
      }
      case Chunk::kDataEnd: {
        const BodyOutcome taken = take_line(line, 0);
        if (taken != BodyOutcome::kBytes) return {taken, 0};
        chunk_ = Chunk::kSize;
        break;
      }
      case Chunk::kTrailer: {
        const BodyOutcome taken = take_line(line, limits::kTrailerBytes - trailer_bytes_);
        if (taken != BodyOutcome::kBytes) return {taken, 0};
        if (!is_trailer(line)) return {BodyOutcome::kMalformed, 0};
        trailer_bytes_ += line.size();
        if (line.empty()) chunk_ = Chunk::kDone;
        break;
      }
      case Chunk::kDone:
        return {BodyOutcome::kEnd, 0};
    }
  }
}

bool ConnectionBody::discard_arrived() {
  place_.reset();
  if (failed_ != BodyOutcome::kBytes) return false;
  if (!declared_) return chunk_ == Chunk::kDone;
  const std::size_t arrived =
      static_cast<std::size_t>(std::min<std::uint64_t>(left_, connection_.unread().size()));
  connection_.consume(arrived);
  left_ -= arrived;
  return left_ == 0;
}

}  // namespace ota::http
