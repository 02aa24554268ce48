#include "http/multipart_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::http {

MultipartStream::MultipartStream(std::string_view boundary, std::string file_part, FileSink sink)
    : delimiter_("\r\n--" + std::string(boundary)),
      file_part_(std::move(file_part)),
      sink_(std::move(sink)),
      // A boundary follows a line's end; the first one may stand at the very beginning.
      buffer_("\r\n") {}

bool MultipartStream::feed(std::string_view bytes) {
  if (problem_) return false;
  buffer_.append(bytes);
  pending_ = buffer_;
  while (!problem_ && step()) {
  }
  buffer_.erase(0, buffer_.size() - pending_.size());
  return !problem_;
}

bool MultipartStream::finish() {
  if (!problem_ && state_ != State::kEpilogue) {
    refuse("it ends before its last boundary, so it was cut off");
  }
  return !problem_;
}

const std::string* MultipartStream::text(std::string_view name) const {
  const auto at = texts_.find(name);
  return at == texts_.end() ? nullptr : &at->second;
}

bool MultipartStream::step() {
  switch (state_) {
    case State::kPreamble:
      return take_preamble();
    case State::kAfterBoundary:
      return take_after_boundary();
    case State::kHeaders:
      return take_headers();
    case State::kContent:
      return take_content();
    case State::kEpilogue:
      pending_ = {};
      return false;
  }
  return false;
}

bool MultipartStream::take_preamble() {
  const auto at = pending_.find(delimiter_);
  const bool is_here = at != std::string_view::npos;
  // What may be the beginning of the delimiter stays.
  const std::size_t before =
      is_here ? at : pending_.size() - std::min(pending_.size(), delimiter_.size() - 1);
  preamble_bytes_ += before;
  if (preamble_bytes_ > limits::kMultipartPreambleBytes) {
    return refuse(fmt::format("its first {} bytes hold no boundary", limits::kMultipartPreambleBytes));
  }
  pending_.remove_prefix(is_here ? at + delimiter_.size() : before);
  if (is_here) state_ = State::kAfterBoundary;
  return is_here;
}

bool MultipartStream::take_after_boundary() {
  if (pending_.size() < 2) return false;
  if (pending_.starts_with("--")) {
    state_ = State::kEpilogue;
    return true;
  }
  const auto end = pending_.find_first_not_of(" \t");
  if (std::min(end, pending_.size()) > limits::kMultipartHeaderBytes)
    return refuse("a boundary line is endless");
  if (end == std::string_view::npos || pending_.size() < end + 2) return false;
  if (pending_.substr(end, 2) != "\r\n")
    return refuse("a boundary is not followed by a line's end");
  pending_.remove_prefix(end + 2);
  state_ = State::kHeaders;
  return true;
}

bool MultipartStream::take_headers() {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const auto end = pending_.find(kEnd);
  // What may be the beginning of the end is no header.
  const std::size_t size = std::min(end, pending_.size() - std::min(pending_.size(), kEnd.size() - 1));
  if (size > limits::kMultipartHeaderBytes) {
    return refuse(
        fmt::format("a part's headers are longer than {} bytes", limits::kMultipartHeaderBytes));
  }
  if (pending_.starts_with("\r\n")) return refuse("a part has no headers");
  if (end == std::string_view::npos) return false;
  if (!begin_part(pending_.substr(0, end))) return false;
  pending_.remove_prefix(end + kEnd.size());
  state_ = State::kContent;
  return true;
}

bool MultipartStream::begin_part(std::string_view headers) {
  if (++parts_ > limits::kMultipartParts) {
    return refuse(fmt::format("it has more than {} parts", limits::kMultipartParts));
  }
  auto parsed = parse_part_header(headers);
  if (const auto* error = std::get_if<std::string>(&parsed)) return refuse(*error);
  auto& header = std::get<PartHeader>(parsed);
  text_ = nullptr;
  if (header.name == file_part_) {
    if (file_) return refuse(fmt::format("it has two parts named '{}'", file_part_));
    file_ = std::move(header);
    return true;
  }
  const auto [at, is_new] = texts_.try_emplace(header.name);
  if (!is_new) return refuse(fmt::format("it has two parts named '{}'", shown(header.name)));
  text_ = &at->second;
  return true;
}

bool MultipartStream::take_content() {
  const auto at = pending_.find(delimiter_);
  if (at == std::string_view::npos) {
    const std::size_t taken = pending_.size() - std::min(pending_.size(), delimiter_.size() - 1);
    if (deliver(pending_.substr(0, taken))) pending_.remove_prefix(taken);
    return false;
  }
  if (!deliver(pending_.substr(0, at))) return false;
  pending_.remove_prefix(at + delimiter_.size());
  state_ = State::kAfterBoundary;
  return true;
}

bool MultipartStream::deliver(std::string_view bytes) {
  if (!text_) {
    if (!bytes.empty()) sink_(bytes);
    return true;
  }
  text_bytes_ += bytes.size();
  if (text_bytes_ > limits::kMultipartTextBytes) {
    return refuse(fmt::format("the parts other than '{}' are larger than {} bytes", file_part_,
                              limits::kMultipartTextBytes));
  }
  text_->append(bytes);
  return true;
}

bool MultipartStream::refuse(std::string_view what) {
  problem_ = Problem::bad_request(fmt::format("The upload's body is malformed: {}", what));
  return false;
}

}  // namespace ota::http
