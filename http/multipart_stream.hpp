// Reads a multipart/form-data body as it arrives: one file part goes to a callback piece by piece,
// text parts are kept. Memory is the text parts and one piece, however large the file.
//
//   feed(), feed(), ... -> finish()
//
// Invariant: after the first error nothing more is delivered, and finish() says no. A body that
// stops before its last boundary is an error, so a file is whole only if finish() said yes. Used by
// one thread. (httplib has a multipart reader too; it runs a recursive regex over what the client
// sent, on the handler's small stack.)
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "http/multipart_header.hpp"
#include "http/problem.hpp"

namespace ota::http {

class MultipartStream {
 public:
  // Called with each piece of the file part, in order; may throw (the exception passes through).
  using FileSink = std::function<void(std::string_view bytes)>;

  // `file_part` is the name of the part that is streamed; `boundary` as multipart_boundary() gives
  // it.
  MultipartStream(std::string_view boundary, std::string file_part, FileSink sink);

  // Takes the next bytes of the body; false: it is refused, see problem().
  bool feed(std::string_view bytes);
  // Ends the body; false: it was refused or is not whole.
  bool finish();
  // What was wrong, after a false.
  const Problem& problem() const { return *problem_; }

  // The file part was begun (and is whole after finish()); its name and type as the client gave
  // them.
  bool has_file() const { return file_.has_value(); }
  const PartHeader& file() const { return *file_; }
  // The text of a part other than the file; null if there is none of that name.
  const std::string* text(std::string_view name) const;

 private:
  enum class State { kPreamble, kAfterBoundary, kHeaders, kContent, kEpilogue };

  // Each takes what it can from the front of `pending_`; false: more bytes are needed, or the body
  // is refused.
  bool step();
  bool take_preamble();
  bool take_after_boundary();
  bool take_headers();
  bool take_content();
  bool begin_part(std::string_view headers);
  bool deliver(std::string_view bytes);
  bool refuse(std::string_view what);

  const std::string delimiter_;  // CR LF "--" boundary
  const std::string file_part_;
  const FileSink sink_;
  State state_ = State::kPreamble;
  std::string buffer_;        // what is not yet taken, between two feeds
  std::string_view pending_;  // the same during a feed
  std::size_t preamble_bytes_ = 0;
  std::size_t text_bytes_ = 0;
  std::size_t parts_ = 0;
  std::string* text_ = nullptr;  // where the part's content goes; null: to the sink
  std::optional<PartHeader> file_;
  std::map<std::string, std::string, std::less<>> texts_;
  std::optional<Problem> problem_;
};

}  // namespace ota::http
