#include "http/line_stream.hpp"

namespace ota::http {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

void LineStream::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    take(bytes.substr(0, end), end != std::string_view::npos);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
}

void LineStream::finish() {
  if (!held_.empty()) take({}, /*ends=*/true);
}

void LineStream::take(std::string_view piece, bool ends) {
  // The CR of an end is not of the line, nor is the mark.
  constexpr std::size_t kBesides = 1 + kByteOrderMark.size();
  if (!given_ && held_.size() + piece.size() > bytes_max_ + kBesides) {
    held_ += piece.substr(0, bytes_max_ - std::min(bytes_max_, held_.size()));
    give(held_, /*too_long=*/true);
    given_ = true;
    held_.clear();
  } else if (!given_ && ends && held_.empty()) {
    give(piece, /*too_long=*/false);      // as a rule: nothing is copied
  } else if (!given_) {
    held_ += piece;
    if (ends) give(held_, /*too_long=*/false);
  }
  if (!ends) return;
  held_.clear();
  given_ = false;
  ++number_;
}

void LineStream::give(std::string_view text, bool too_long) {
  if (number_ == 1 && text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!too_long && text.ends_with('\r')) text.remove_suffix(1);
  on_line_({number_, text, too_long});
}

}  // namespace ota::http
