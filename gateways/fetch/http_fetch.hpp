// One try to get the rest of a file by HTTP, by libcurl, on the caller's thread.
//
// A file is known by its size and digests before it is asked for, so no ETag is needed to go on behind what is here: other
// bytes are found out at the end. The source is not trusted: what it says about lengths and ranges is checked against
// what it sends, not one byte more than the file has is taken, it may be neither silent nor slow for long, and redirects lead to
// http and https alone. Nothing is decoded: the bytes of the file are those of the answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gateways/fetch/limits.hpp"

namespace ota::gateways::fetch {

struct Patience {
  std::chrono::milliseconds connect = limits::kConnect;
  std::chrono::milliseconds stall = limits::kStall;
  std::uint64_t stall_bytes = limits::kStallBytes;
};

struct Question {
  std::string url;
  std::uint64_t from = 0;                 // bytes that are here already: those behind them are wanted
  std::uint64_t size = 0;                 // of the whole file; > from
};

class Receiver {
 public:
  virtual ~Receiver() = default;
  // What follows begins at this byte of the file: where it was asked for, or 0.
  virtual void begin(std::uint64_t at) = 0;
  virtual void take(std::string_view bytes) = 0;
  // Is the answer no longer wanted?
  virtual bool is_over() const = 0;
};

enum class End {
  kWhole,        // the file's size has been reached
  kAgain,        // the network, or a source that cannot now: trying again may help
  kRefused,      // the source says no
  kOther,        // the source has a file of another size there
  kStartAnew,    // what is here cannot be gone on with
  kOver,         // Receiver::is_over()
};
struct Ending {
  End end = End::kAgain;
  std::string why;                        // for people; of kWhole and kOver empty
  std::optional<std::chrono::seconds> retry_after;   // what the source asked for
};

// Asks once. What the receiver throws comes out of here.
Ending ask(const Question& question, const Patience& patience, Receiver& receiver);

}  // namespace ota::gateways::fetch
