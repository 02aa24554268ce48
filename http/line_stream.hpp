// Cuts a text into its lines as it arrives. Memory is one line, however large the text.
//
//   feed(), feed(), ... -> finish()
//
// Lines end with LF or CR LF; the last one needs no end. A byte order mark before the first is overlooked. Of a line that
// is too long only the beginning is given. Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace ota::http {

struct TextLine {
  std::uint64_t number = 0;               // the first is 1
  std::string_view text;                  // without its end; valid during the call
  bool too_long = false;                  // the rest was thrown away
};

class LineStream {
 public:
  using OnLine = std::function<void(const TextLine&)>;

  LineStream(std::size_t bytes_max, OnLine on_line) : bytes_max_(bytes_max), on_line_(std::move(on_line)) {}

  void feed(std::string_view bytes);
  // The text is over: gives what stands behind the last line's end.
  void finish();

 private:
  void take(std::string_view piece, bool ends);
  void give(std::string_view text, bool too_long);

  const std::size_t bytes_max_;
  const OnLine on_line_;
  std::uint64_t number_ = 1;              // of the line that is being read
  std::string held_;                      // its beginning
  bool given_ = false;                    // it was too long
};

}  // namespace ota::http
