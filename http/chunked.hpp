// The chunked coding of a body (RFC 9112 section 7.1), as far as it can be read without taking it
// apart. Pure.
//
// Used twice: by the door, which looks whether a small body is here as a whole, and by
// ConnectionBody, which reads one of any size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ota::http {

enum class LineOutcome : std::uint8_t {
  kWhole,
  kMore,     // its end has not arrived
  kTooLong,  // it has more than the bytes allowed, whatever follows
};

struct Line {
  LineOutcome outcome = LineOutcome::kMore;
  std::string_view text;  // without its CR LF
};

// The line at the front of `bytes`, of at most `bytes_max` bytes without its CR LF. A CR that
// arrived without its LF is no part of the line yet.
Line first_line(std::string_view bytes, std::size_t bytes_max);

// The number that a chunk begins with; its extensions are overlooked, but must be text: a bare LF
// in them ends the line for some who pass the message on.
std::optional<std::uint64_t> chunk_size(std::string_view line);

// Whether a line may stand behind the last chunk, or is the empty one that ends the body.
bool is_trailer(std::string_view line);

// Looks for the end of a body as its bytes arrive, each byte once.
class ChunkScan {
 public:
  enum class State : std::uint8_t {
    kMore,
    kWhole,
    kUnusable,  // broken or too large: whoever reads it says which
  };
  // `body` is all of it that has arrived, and perhaps bytes behind it; `bytes_max` is of the
  // coding.
  State look(std::string_view body, std::size_t bytes_max);

 private:
  enum class At : std::uint8_t { kSize, kData, kDataEnd, kTrailer };

  At at_ = At::kSize;
  std::size_t seen_ = 0;    // so many bytes are understood
  std::uint64_t data_ = 0;  // of the present chunk
};

}  // namespace ota::http
