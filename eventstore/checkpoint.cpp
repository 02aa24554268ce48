#include "eventstore/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "eventstore/base64.hpp"

namespace ota::eventstore {
namespace {

constexpr std::string_view kDash = "\xE2\x80\x94 ";   // an em dash begins a line with a signature
constexpr char kEd25519 = 0x01;
constexpr std::string_view kTime = "time ";

std::string_view view_of(const auto& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// A name in a note has neither spaces nor a plus.
bool is_name(std::string_view name) {
  return !name.empty() && std::none_of(name.begin(), name.end(), [](unsigned char c) { return c <= ' ' || c == '+' || c == 0x7f; });
}

// The next line without its newline; empty if there is none that ends.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == rest.npos) return std::nullopt;
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

// In its shortest form: a number has one text.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text != std::to_string(number)) return std::nullopt;
  return number;
}

template <std::size_t N>
bool copy_to(std::array<std::uint8_t, N>& out, std::string_view bytes) {
  if (bytes.size() != N) return false;
  std::memcpy(out.data(), bytes.data(), N);
  return true;
}

std::string signed_text(const Checkpoint& c) {
  return fmt::format("{}\n{}\n{}\n{}{}\n", c.origin, c.tree.size, base64_of(view_of(c.tree.root)), kTime,
                     c.time.time_since_epoch().count());
}

std::optional<SignedCheckpoint::Signature> parse_signature(std::string_view line) {
  if (!line.starts_with(kDash)) return std::nullopt;
  line.remove_prefix(kDash.size());
  const auto space = line.find(' ');
  if (space == line.npos || !is_name(line.substr(0, space))) return std::nullopt;
  const auto bytes = from_base64(line.substr(space + 1));
  SignedCheckpoint::Signature signature;
  if (!bytes || bytes->size() <= signature.key.size()) return std::nullopt;
  signature.name = line.substr(0, space);
  std::memcpy(signature.key.data(), bytes->data(), signature.key.size());
  signature.bytes = bytes->substr(signature.key.size());
  return signature;
}

// What is wrong, or nothing.
std::string parse_body(std::string_view body, Checkpoint& out) {
  const auto origin = take_line(body);
  if (!origin || !is_name(*origin)) return "its first line is no origin";
  const auto size_line = take_line(body);
  const auto size = size_line ? parse_number<std::uint64_t>(*size_line) : std::nullopt;
  if (!size) return "its second line is no size";
  const auto root_line = take_line(body);
  const auto root = root_line ? from_base64(*root_line) : std::nullopt;
  if (!root || !copy_to(out.tree.root, *root)) return "its third line is no root of 32 bytes in base64";
  out.origin = *origin;
  out.tree.size = *size;
  while (const auto extension = take_line(body)) {
    if (!extension->starts_with(kTime)) continue;
    const auto us = parse_number<std::int64_t>(extension->substr(kTime.size()));
    if (!us) return fmt::format("its line \"{}\" is no time in microseconds", *extension);
    out.time = Timestamp(std::chrono::microseconds(*us));
  }
  return {};
}

}  // namespace

std::array<std::uint8_t, 4> key_id(const VerifierKey& key) {
  Sha256 sha;
  const Hash hash = sha.hash(key.name + "\n" + kEd25519 + std::string(view_of(key.key)));
  std::array<std::uint8_t, 4> id{};
  std::copy_n(hash.begin(), id.size(), id.begin());
  return id;
}

std::string VerifierKey::text() const {
  const auto id = key_id(*this);
  return fmt::format("{}+{:02x}{:02x}{:02x}{:02x}+{}", name, id[0], id[1], id[2], id[3],
                     base64_of(kEd25519 + std::string(view_of(key))));
}

std::optional<VerifierKey> VerifierKey::parse(std::string_view text) {
  const auto plus = text.find('+');
  if (plus == text.npos || text.size() < plus + 10 || text[plus + 9] != '+') return std::nullopt;
  VerifierKey key{std::string(text.substr(0, plus)), {}};
  const auto bytes = from_base64(text.substr(plus + 10));
  if (!is_name(key.name) || !bytes || bytes->empty() || bytes->front() != kEd25519 || !copy_to(key.key, bytes->substr(1))) return std::nullopt;
  if (key.text() != text) return std::nullopt;  // its id is another's, or it is written in another way
  return key;
}

std::string sign_checkpoint(const Checkpoint& checkpoint, const SigningKey& key) {
  auto note = signed_text(checkpoint) + "\n";
  add_signature(note, checkpoint, key);
  return note;
}

void add_signature(std::string& note, const Checkpoint& checkpoint, const SigningKey& key) {
  const auto id = key_id({checkpoint.origin, key.public_key()});
  const auto signature = key.sign(signed_text(checkpoint));
  note += fmt::format("{}{} {}\n", kDash, checkpoint.origin, base64_of(std::string(view_of(id)) + signature));
}

bool SignedCheckpoint::is_signed_by(const VerifierKey& key) const {
  const auto id = key_id(key);
  return std::any_of(signatures.begin(), signatures.end(), [&](const Signature& s) {
    return s.name == key.name && s.key == id && is_signature(key.key, signed_text, s.bytes);
  });
}

std::variant<SignedCheckpoint, std::string> parse_checkpoint(std::string_view note) {
  const auto wrong = [](std::string_view why) { return fmt::format("this is no checkpoint: {}", why); };
  const auto split = note.rfind("\n\n");
  if (split == note.npos) return wrong("no empty line stands before its signatures");
  SignedCheckpoint found;
  found.signed_text = note.substr(0, split + 1);
  if (auto why = parse_body(found.signed_text, found.checkpoint); !why.empty()) return wrong(why);
  for (auto rest = note.substr(split + 2); !rest.empty();) {
    const auto line = take_line(rest);
    auto signature = line ? parse_signature(*line) : std::nullopt;
    if (!signature) return wrong("a line behind the empty one is no signature");
    found.signatures.push_back(std::move(*signature));
  }
  if (found.signatures.empty()) return wrong("it has no signature");
  return found;
}

}  // namespace ota::eventstore
