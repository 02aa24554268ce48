#include "eventstore/acknowledged.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <system_error>
#include <tuple>

#include "eventstore/assert.hpp"
#include "eventstore/crc32c.hpp"
#include "eventstore/durable_files.hpp"

namespace ota::eventstore {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTitle = "ota acknowledged ";
constexpr unsigned kVersion = 1;
constexpr std::size_t kSlots = 2;
// Of the files of the WAL that are named; so many fit a slot. There are more only if somebody sets other limits.
constexpr std::size_t kOlderMax = 150;

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(at), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

template <class Number>
bool read_number(std::string_view text, Number& number, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size();
}

// False: what stands there is no value of this line.
bool take_line(std::string_view line, Acknowledged& note) {
  const auto words = split(line, ' ');
  if (words.empty()) return false;
  if (words[0] == "count") return words.size() == 2 && read_number(words[1], note.count);
  if (words[0] == "wal") return words.size() == 3 && read_number(words[1], note.wal) && read_number(words[2], note.wal_bytes);
  if (words[0] == "manifest") return words.size() == 3 && read_number(words[1], note.manifest) && read_number(words[2], note.manifest_bytes);
  if (words[0] == "set_back") note.set_back = true;
  if (words[0] == "time") {
    std::int64_t us = 0;
    if (words.size() != 2 || !read_number(words[1], us)) return false;
    note.time = Timestamp(std::chrono::microseconds(us));
  }
  if (words[0] == "older") {
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (!read_number(words[i], note.older.emplace_back())) return false;
    }
  }
  return true;
}

// Of one database: its files get ever larger numbers.
bool says_more(const Acknowledged& note, const Acknowledged& than) {
  const auto said = [](const Acknowledged& of) { return std::tuple(of.count, of.manifest, of.manifest_bytes, of.wal, of.wal_bytes); };
  return said(note) > said(than);
}

std::string slots_in(const fs::path& directory) { return read_file(directory / kAcknowledgedName, 0); }

std::array<std::optional<Acknowledged>, kSlots> parse_slots(std::string_view bytes) {
  std::array<std::optional<Acknowledged>, kSlots> notes;
  for (std::size_t slot = 0; slot < kSlots && slot * kAcknowledgedSlotBytes < bytes.size(); ++slot) {
    notes[slot] = parse_acknowledged(bytes.substr(slot * kAcknowledgedSlotBytes, kAcknowledgedSlotBytes));
  }
  return notes;
}

[[noreturn]] void cannot_be_written(const fs::path& file) {
  const int error = errno;
  throw std::system_error(error, std::generic_category(), fmt::format("{} cannot be written", file.string()));
}

}  // namespace

std::string acknowledged_slot(const Acknowledged& note) {
  std::string text = fmt::format("{}{}\ncount {}\ntime {}\n", kTitle, kVersion, note.count, note.time.time_since_epoch().count());
  if (note.wal != 0) text += fmt::format("wal {} {}\n", note.wal, note.wal_bytes);
  if (!note.older.empty()) {
    text += "older";
    for (std::size_t i = 0; i < std::min(note.older.size(), kOlderMax); ++i) text += fmt::format(" {}", note.older[i]);
    text += '\n';
  }
  if (note.manifest != 0) text += fmt::format("manifest {} {}\n", note.manifest, note.manifest_bytes);
  if (note.set_back) text += "set_back\n";
  text += fmt::format("sum {:08x}\n", crc32c(text));
  OTA_ASSERT(text.size() <= kAcknowledgedSlotBytes);
  text.resize(kAcknowledgedSlotBytes, '\n');
  return text;
}

std::optional<Acknowledged> parse_acknowledged(std::string_view slot) {
  const auto end = slot.find("\nsum ");
  if (!slot.starts_with(kTitle) || end == slot.npos) return std::nullopt;
  const auto body = slot.substr(0, end + 1);
  const auto behind = slot.substr(body.size());
  std::uint32_t sum = 0;
  if (!read_number(behind.substr(4, behind.find('\n') - 4), sum, 16) || sum != crc32c(body)) return std::nullopt;
  auto lines = split(body, '\n');
  unsigned version = 0;
  if (!read_number(lines.front().substr(kTitle.size()), version)) return std::nullopt;
  if (version > kVersion) {
    throw std::runtime_error(fmt::format("was written by a newer version: it has format {}, this version knows format {}", version, kVersion));
  }
  Acknowledged note;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (!take_line(lines[i], note)) return std::nullopt;
  }
  return note;
}

std::optional<Acknowledged> read_acknowledged(const fs::path& directory) {
  if (!fs::exists(directory / kAcknowledgedName)) return std::nullopt;
  const auto sentence = [&](std::string_view why) {
    return fmt::format("{}, which says how far the database was acknowledged, {}", (directory / kAcknowledgedName).string(), why);
  };
  std::optional<Acknowledged> note;
  try {
    for (const auto& found : parse_slots(slots_in(directory))) {
      if (found && (!note || !says_more(*note, *found))) note = found;
    }
  } catch (const std::runtime_error& newer) {
    throw std::runtime_error(sentence(newer.what()));
  }
  if (!note) throw DamagedNote(sentence("is damaged"));
  return note;
}

void replace_acknowledged(const fs::path& directory, const Acknowledged& note) {
  const auto slot = acknowledged_slot(note);
  replace_file(directory / kAcknowledgedName, slot + slot);
}

bool may_pass(const std::system_error& error) {
  constexpr std::array kShort{ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM};
  return std::any_of(kShort.begin(), kShort.end(), [&](int kind) { return error.code() == static_cast<std::errc>(kind); });
}

AcknowledgedFile::AcknowledgedFile(const fs::path& directory) : file_(directory / kAcknowledgedName) {
  const auto notes = parse_slots(slots_in(directory));
  next_slot_ = notes[0] && (!notes[1] || says_more(*notes[0], *notes[1])) ? 1 : 0;
  descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor_ < 0) cannot_be_written(file_);
}

AcknowledgedFile::~AcknowledgedFile() { ::close(descriptor_); }

void AcknowledgedFile::write(const Acknowledged& note) {
  const auto slot = acknowledged_slot(note);
  const std::size_t begin = next_slot_ * kAcknowledgedSlotBytes;
  for (std::size_t written = 0; written < slot.size();) {
    const ssize_t put = ::pwrite(descriptor_, slot.data() + written, slot.size() - written, static_cast<off_t>(begin + written));
    if (put < 0 && errno != EINTR) cannot_be_written(file_);
    if (put > 0) written += static_cast<std::size_t>(put);
  }
  if (::fdatasync(descriptor_) != 0) cannot_be_written(file_);
  next_slot_ = 1 - next_slot_;
}

}  // namespace ota::eventstore
