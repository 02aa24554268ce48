// One client's connection: its socket, and what has arrived on it but is not used yet.
//
// Invariant: a connection has one owner at a time: the door thread while it waits for a request, a
// handler thread while that runs, a transfer thread while a file is being sent. Only the owner
// touches it, and only the door thread creates and destroys it. `expires_at_ms` alone is read by
// the door thread at any time: not 0 means that the door owns it, and until when the peer may stay
// silent.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/chunked.hpp"
#include "http/pace.hpp"
#include "http/request_head.hpp"
#include "http/tls.hpp"

namespace ota::http {

struct LateAnswer;

// What a connection waits for while the door owns it.
enum class Awaiting : std::uint8_t {
  kHandshake,  // TLS is being agreed on
  kRequest,  // nothing of the next request is here
  kHead,     // a part of its head is
  kBody,     // its head is, and a part of a body small enough to be gathered
  kClose,    // everything was said; whatever still arrives is thrown away
};

class Connection {
 public:
  // `tls`: null for a connection in the clear.
  Connection(int descriptor, std::string peer_address, int peer_port, std::unique_ptr<TlsSession> tls = nullptr);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int descriptor() const { return descriptor_; }
  const std::string& peer_address() const { return peer_address_; }
  int peer_port() const { return peer_port_; }
  bool is_encrypted() const { return tls_ != nullptr; }
  // The common name of the client's verified certificate; empty: it showed none.
  const std::string& certificate() const { return certificate_; }
  bool devices_only = false;  // as its listener says

  // What has arrived and is not used yet.
  std::string_view unread() const { return std::string_view(input_).substr(used_); }
  void append(std::string_view bytes) { input_.append(bytes); }
  void consume(std::size_t bytes);
  // Moves the unread bytes out.
  std::string take_unread();

  // Looks whether a whole request is here, gathering a small body too, and asks for one whose
  // sender waits for "100 Continue". `head` is memory to work with.
  struct Examined {
    bool ready = false;
    std::optional<HeadError> error;
  };
  Examined examine(RequestHead& head);

  // One step of the handshake, on a connection that awaits it; false: it has failed. Behind the last step a request is
  // awaited.
  bool shake_hands();
  // Receives or sends what can go at once: as recv and send do, with errno EAGAIN when the socket has to be waited for.
  // What could not be sent is sent again as it was.
  ssize_t receive_some(char* out, std::size_t size);
  ssize_t send_some(const char* bytes, std::size_t size, bool more_follows = false);
  ssize_t send_file_some(int file, std::uint64_t offset, std::size_t size);
  // Bytes have arrived that the socket does not show any more.
  bool has_buffered() const { return tls_ && tls_->has_buffered(); }
  // Nothing follows: tells the peer, and ends the sending side.
  void end_sending();

  // Receives into `out`, waiting until `deadline`. Returns how many bytes, 0 at the end, -1 on an
  // error (errno is ETIMEDOUT when the peer stayed silent).
  std::ptrdiff_t receive(char* out, std::size_t size, SteadyClock::time_point deadline);
  // Sends both, one behind the other, as far as there is room for it, and takes off what was sent;
  // false when the peer is gone.
  bool send_some(std::string_view& first, std::string_view& second);
  // Sends all of both, waiting as `watch` allows; false when the peer is gone or too slow.
  bool send(std::string_view first, std::string_view second, PaceWatch& watch);
  // For whoever sends on the descriptor himself: so much was handed to the kernel.
  void sent(std::uint64_t bytes) { sent_ += bytes; }
  // Tells `watch` what has arrived at the peer since this was last done. What the kernel has taken
  // says little: it takes megabytes for a peer that reads nothing, and none for a long time
  // afterwards for one that does.
  void note_arrived(PaceWatch& watch);
  // Whether that was all of it.
  bool has_all_arrived() const { return arrived_ == sent_; }
  // Whether the line has all that the kernel was handed; known of a connection that was reset, too.
  bool has_all_left() const;
  // While `wanted`, the socket is writable for epoll and poll once that is so, not before. If it is so already, an epoll
  // that watches the socket tells of it all the same.
  void report_all_left(bool wanted) const;
  // Closing it will drop what has not arrived, and the peer will see a reset, not an end.
  void reset_at_close() const;

  Awaiting awaiting;
  std::int64_t deadline_ms = 0;  // of what is awaited, on the door's clock
  std::int64_t ready_at_ms = 0;  // when the request was whole: how long it waited for a handler
  bool keep_alive = true;        // another request may follow the one that is being answered
  bool body_is_here = true;      // of the request that is whole: nobody has to wait for its body
  // Of the request that was served: it is whole, and a handler is to send it.
  std::shared_ptr<LateAnswer> late = {};
  std::size_t slot = 0;          // in the door's table
  bool is_going = false;         // the door has ended it, to make room
  bool in_epoll = false;         // registered with the door's epoll
  bool wants_write = false;      // the handshake waits for room, not for bytes
  std::atomic<std::int64_t> expires_at_ms{0};

 private:
  bool wait_for(short events, SteadyClock::time_point deadline) const;
  ssize_t send_both(std::string_view first, std::string_view second);
  bool wait_for_room(PaceWatch& watch);
  std::optional<HeadError> read_head(RequestHead& head);
  void ask_to_continue();

  const int descriptor_;
  const std::string peer_address_;
  const int peer_port_;
  const std::unique_ptr<TlsSession> tls_;
  std::string certificate_;
  std::string joined_;               // an answer that leaves in one record, while it does
  std::string input_;
  std::size_t used_ = 0;
  std::size_t scanned_ = 0;          // no head ends within so many unread bytes
  std::size_t head_bytes_ = 0;       // once the head is known; else 0
  std::size_t request_bytes_ = 0;    // head and gathered body; of a chunked one the head alone
  std::optional<ChunkScan> chunks_;  // of a chunked body
  std::uint64_t sent_ = 0;
  std::uint64_t arrived_ = 0;  // of these, as was last seen
};

}  // namespace ota::http
