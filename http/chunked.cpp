#include "http/chunked.hpp"

#include <charconv>

#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::http {

Line first_line(std::string_view bytes, std::size_t bytes_max) {
  const auto end = bytes.substr(0, bytes_max + 2).find("\r\n");
  if (end != std::string_view::npos) return {LineOutcome::kWhole, bytes.substr(0, end)};
  const bool may_end =
      bytes.size() <= bytes_max || (bytes.size() == bytes_max + 1 && bytes[bytes_max] == '\r');
  return {may_end ? LineOutcome::kMore : LineOutcome::kTooLong, {}};
}

std::optional<std::uint64_t> chunk_size(std::string_view line) {
  std::uint64_t size = 0;
  const char* const end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data(), end, size, 16);
  if (error != std::errc()) return std::nullopt;
  const std::string_view rest = trim({stop, static_cast<std::size_t>(end - stop)});
  if (!(rest.empty() || rest.starts_with(';')) || !is_field_text(rest)) return std::nullopt;
  return size;
}

bool is_trailer(std::string_view line) {
  return line.empty() || (line.find(':') != std::string_view::npos && is_field_text(line));
}

ChunkScan::State ChunkScan::look(std::string_view body, std::size_t bytes_max) {
  for (;;) {
    const std::string_view rest = body.substr(seen_);
    if (at_ == At::kData) {
      if (rest.size() < data_) return State::kMore;
      seen_ += static_cast<std::size_t>(data_);
      at_ = At::kDataEnd;
      continue;
    }
    const std::size_t line_max = at_ == At::kSize      ? limits::kChunkLineBytes
                                 : at_ == At::kDataEnd ? 0
                                                       : limits::kTrailerBytes;
    const Line line = first_line(rest, line_max);
    if (line.outcome == LineOutcome::kTooLong) return State::kUnusable;
    if (line.outcome == LineOutcome::kMore) {
      return body.size() > bytes_max ? State::kUnusable : State::kMore;
    }
    seen_ += line.text.size() + 2;
    if (seen_ > bytes_max) return State::kUnusable;
    if (at_ == At::kTrailer && line.text.empty()) return State::kWhole;
    if (at_ == At::kTrailer && !is_trailer(line.text)) return State::kUnusable;
    if (at_ == At::kSize) {
      const auto size = chunk_size(line.text);
      if (!size || *size > bytes_max - seen_) return State::kUnusable;
      data_ = *size;
      at_ = data_ == 0 ? At::kTrailer : At::kData;
    } else if (at_ == At::kDataEnd) {
      at_ = At::kSize;
    }
  }
}

}  // namespace ota::http
