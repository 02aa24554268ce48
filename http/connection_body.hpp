// The body of the request that a handler is serving, read from its connection: by length or
// chunked.
//
// The first read answers "Expect: 100-continue": a request that is refused before that need not be
// sent. Bytes behind the body stay on the connection, as the beginning of the next request. Used by
// one handler thread.
#pragma once

#include "http/places.hpp"
#include "http/connection.hpp"
#include "http/request_body.hpp"

namespace ota::http {

class ConnectionBody final : public RequestBody {
 public:
  // `head` is the request's, already taken off the connection. The place, of a body that must be
  // waited for, is given back when nothing more of it is waited for.
  ConnectionBody(Connection& connection, const RequestHead& head, Pace pace,
                 std::optional<Places::Place> place = std::nullopt);

  BodyRead read(char* out, std::size_t size) override;
  std::optional<std::uint64_t> declared_size() const override;

  // To be called when nobody reads any more, before the answer is sent: throws away what has
  // already arrived of the body, and gives the place back; true if that was all of it, and the next
  // request may follow.
  bool discard_arrived();

 private:
  enum class Chunk : std::uint8_t { kSize, kData, kDataEnd, kTrailer, kDone };

  BodyRead read_counted(char* out, std::size_t size);
  BodyRead read_chunked(char* out, std::size_t size);
  // Takes bytes of the message into `out`, from what is unread or from the socket.
  BodyRead take(char* out, std::size_t size);
  // Takes a line off the connection, without its CR LF.
  BodyOutcome take_line(std::string& line, std::size_t bytes_max);
  BodyOutcome receive_more();
  BodyOutcome failure_of(std::ptrdiff_t received) const;
  bool ask_to_continue();

  Connection& connection_;
  PaceWatch watch_;
  std::optional<Places::Place> place_;
  const std::optional<std::uint64_t> declared_;
  std::uint64_t left_ = 0;  // of the body, or of the chunk
  Chunk chunk_ = Chunk::kDone;
  bool expects_continue_ = false;
  std::size_t trailer_bytes_ = 0;
  BodyOutcome failed_ = BodyOutcome::kBytes;  // once not kBytes, every further read says so
};

}  // namespace ota::http
