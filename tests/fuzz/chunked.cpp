// Feeds: a body in chunked coding, and whatever stands behind it.
//
// Claims: ChunkScan comes to the same end wherever the bytes are cut, and never takes a word back.
// It says kWhole just where a plain reading of RFC 9112 section 7.1, within the same bounds, ends
// the body: a byte earlier it waits, and what stands behind the body does not matter. A line is cut
// as a search for CR LF cuts it.
#include <algorithm>
#include <charconv>
#include <string>

#include "http/chunked.hpp"
#include "http/limits.hpp"
#include "http/text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace ota::http;
using namespace ota::fuzz;
using State = ChunkScan::State;

namespace {

// A tab, or no control character: some take a bare LF for the end of a line.
bool is_text(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char c) {
    return c == '\t' || !has_control_character({&c, 1});
  });
}

// How many bytes the body has; 0: it has no end yet, or is none.
std::size_t body_size(std::string_view bytes, std::size_t bytes_max) {
  std::size_t at = 0;
  const auto line = [&](std::size_t most) -> std::optional<std::string_view> {
    const auto end = bytes.find("\r\n", at);
    if (end == std::string_view::npos || end - at > most || end + 2 > bytes_max)
      return std::nullopt;
    const auto text = bytes.substr(at, end - at);
    at = end + 2;
    return text;
  };
  for (;;) {
    const auto head = line(limits::kChunkLineBytes);
    if (!head) return 0;
    const auto digits = head->substr(0, head->find_first_not_of("0123456789abcdefABCDEF"));
    const auto extensions = trim(head->substr(digits.size()));
    if (digits.empty() || !is_text(extensions) ||
        !(extensions.empty() || extensions.front() == ';'))
      return 0;
    const auto significant = digits.substr(std::min(digits.size(), digits.find_first_not_of('0')));
    if (significant.size() > 8) return 0;  // larger than every bound
    const std::size_t size =
        significant.empty() ? 0 : std::stoul(std::string(significant), nullptr, 16);
    if (size == 0) break;
    if (size > bytes_max - at || size > bytes.size() - at) return 0;
    at += size;
    const auto rest = line(0);
    if (!rest) return 0;
  }
  for (;;) {
    const auto trailer = line(limits::kTrailerBytes);
    if (!trailer) return 0;
    if (trailer->empty()) return at;
    if (!is_text(*trailer) || trailer->find(':') == std::string_view::npos) return 0;
  }
}

void check_scan(std::string_view bytes, std::size_t bytes_max) {
  const State outcome = ChunkScan().look(bytes, bytes_max);
  const auto size = body_size(bytes, bytes_max);
  claim((outcome == State::kWhole) == (size > 0), "whole is what a plain reading calls whole");
  for (unsigned way = 1; way < kWays; ++way) {
    ChunkScan scan;
    std::size_t arrived = 0;
    State state = State::kMore;
    for (const auto piece : cut(bytes, way)) {
      arrived += piece.size();
      state = scan.look(bytes.substr(0, arrived), bytes_max);
      if (state != State::kMore) break;
    }
    claim(state == outcome || (bytes.empty() && outcome == State::kMore),
          "the outcome is that of the whole");
    claim(state != State::kWhole || arrived >= size, "the end is not seen before it is here");
  }
  if (size == 0) return;
  claim(ChunkScan().look(bytes.substr(0, size), bytes_max) == State::kWhole,
        "nothing behind the end matters");
  claim(ChunkScan().look(bytes.substr(0, size - 1), bytes_max) == State::kMore,
        "the last byte is waited for");
}

void check_line(std::string_view bytes, std::size_t bytes_max) {
  const Line line = first_line(bytes, bytes_max);
  const auto end = bytes.find("\r\n");
  const bool whole = end != std::string_view::npos && end <= bytes_max;
  claim((line.outcome == LineOutcome::kWhole) == whole, "a line ends with the first CR LF");
  if (whole)
    claim(line.text.data() == bytes.data() && line.text.size() == end,
          "and is what stands before it");
  // Whatever may follow can still end a line that is waited for; no longer one that is too long.
  if (line.outcome == LineOutcome::kMore) {
    const bool has_cr = bytes.ends_with('\r');
    const auto more = first_line(std::string(bytes) + (has_cr ? "\n" : "\r\n"), bytes_max);
    claim(more.outcome == LineOutcome::kWhole, "a line that is waited for can end");
  } else if (line.outcome == LineOutcome::kTooLong) {
    claim(first_line(std::string(bytes) + "\r\n", bytes_max).outcome == LineOutcome::kTooLong,
          "too long stays too long");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Guarded guarded(text_of(data, size));
  const auto bytes = guarded.view();
  for (const std::size_t bytes_max :
       {std::size_t{0}, std::size_t{2}, size / 2, limits::kChunkLineBytes})
    check_line(bytes, bytes_max);
  for (const std::size_t bytes_max : {size, size / 2, limits::kGatheredBodyBytes})
    check_scan(bytes, bytes_max);
  const auto number = chunk_size(bytes);
  std::uint64_t value = 0;
  const auto [stop, fault] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), value, 16);
  claim(!number || (fault == std::errc() && *number == value && stop != bytes.data()),
        "a size begins with its digits");
  return 0;
}
