#include "eventstore/wal_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "eventstore/crc32c.hpp"
#include "eventstore/durable_files.hpp"

namespace ota::eventstore {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockBytes = 32 * 1024;
constexpr std::size_t kFragmentHeadBytes = 7;
constexpr std::size_t kRecordHeadBytes = 12;
enum FragmentType : unsigned char { kZero, kWhole, kFirst, kMiddle, kLast };

template <class Number>
Number load_little(std::string_view bytes, std::size_t at) {
  Number number = 0;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

// Stored sums are turned and shifted, so that the sum over bytes that hold sums is no special case.
std::uint32_t masked(std::uint32_t sum) { return (sum >> 15 | sum << 17) + 0xa282ead8U; }

std::size_t block_end(std::size_t at) { return (at / kBlockBytes + 1) * kBlockBytes; }

struct Fragment {
  unsigned char type = kZero;
  std::string_view bytes;
  std::size_t end = 0;
};

// The fragment that begins at `at`, where its head has room in the block; what is wrong with it if it is none.
std::optional<Fragment> fragment_at(std::string_view file, std::size_t at, std::string& wrong) {
  if (file.size() - at < kFragmentHeadBytes) {
    wrong = "the file ends within a record";
    return std::nullopt;
  }
  Fragment fragment;
  fragment.type = static_cast<unsigned char>(file[at + 6]);
  const std::size_t bytes = load_little<std::uint16_t>(file, at + 4);
  fragment.end = at + kFragmentHeadBytes + bytes;
  if (fragment.type == kZero || fragment.type > kLast || fragment.end > block_end(at)) {
    const auto head = file.substr(at, kFragmentHeadBytes);
    const bool zeros = std::all_of(head.begin(), head.end(), [](char byte) { return byte == 0; });
    wrong = zeros ? "zeros stand where a record should begin" : "no record begins there";
    return std::nullopt;
  }
  if (fragment.end > file.size()) {
    wrong = "the file ends within a record";
    return std::nullopt;
  }
  fragment.bytes = file.substr(at + kFragmentHeadBytes, bytes);
  if (load_little<std::uint32_t>(file, at) != masked(crc32c(file.substr(at + 6, 1 + bytes)))) {
    wrong = "the checksum of a record is wrong";
    return std::nullopt;
  }
  return fragment;
}

// A record from its beginning to its end.
class RecordHead {
 public:
  void add(std::string_view bytes) {
    bytes_.append(bytes.substr(0, kRecordHeadBytes - std::min(kRecordHeadBytes, bytes_.size())));
  }
  bool complete() const { return bytes_.size() >= kRecordHeadBytes; }
  std::uint64_t sequence() const { return load_little<std::uint64_t>(bytes_, 0); }
  std::uint64_t behind() const { return sequence() + load_little<std::uint32_t>(bytes_, 8); }

 private:
  std::string bytes_;
};

struct Place {
  std::size_t sound_bytes = 0;  // of the file
  std::size_t seen_bytes = 0;   // where what is wrong was noticed
  std::string wrong;            // empty: the file is sound
  bool is_of_order = false;     // the record there is sound, and not the next one
};

// Reads records until something is wrong. `next`: the number of the next row; empty: not known yet.
Place read_sound(std::string_view file, std::optional<std::uint64_t>& next) {
  Place place;
  std::optional<RecordHead> record;
  for (std::size_t at = 0; at < file.size();) {
    if (block_end(at) - at < kFragmentHeadBytes) {
      at = block_end(at);
      continue;
    }
    place.seen_bytes = at;
    const auto fragment = fragment_at(file, at, place.wrong);
    if (!fragment) return place;
    const bool begins = fragment->type == kWhole || fragment->type == kFirst;
    if (begins == record.has_value()) {
      place.wrong = begins ? "a record has no end" : "a record has no beginning";
      return place;
    }
    if (begins) record.emplace();
    record->add(fragment->bytes);
    at = fragment->end;
    if (fragment->type == kFirst || fragment->type == kMiddle) continue;
    if (!record->complete()) {
      place.wrong = "a record is too short";
      return place;
    }
    if (next && record->sequence() != *next) {
      place.wrong = record->sequence() > *next ? fmt::format("{} rows are missing", record->sequence() - *next)
                                               : "its rows were written before";
      place.seen_bytes = place.sound_bytes;
      place.is_of_order = true;
      return place;
    }
    next = record->behind();
    record.reset();
    place.sound_bytes = at;
  }
  if (record) place.wrong = "the file ends within a record";
  return place;
}

// How many sound records with rows from number `next` on begin at `from` or behind it. Behind a damage nobody
// knows where a record begins: within its block every byte may be the first.
std::uint64_t count_records(std::string_view file, std::size_t from, std::optional<std::uint64_t> next) {
  constexpr std::uint64_t kRowsAheadMax = std::uint64_t{1} << 40;  // a sound number is not beyond it
  std::uint64_t count = 0;
  std::string ignored;
  for (std::size_t at = from; at < file.size();) {
    if (block_end(at) - at < kFragmentHeadBytes) {
      at = block_end(at);
      continue;
    }
    const auto fragment = fragment_at(file, at, ignored);
    if (!fragment) {
      ++at;
      continue;
    }
    at = fragment->end;
    if (fragment->type != kWhole && fragment->type != kFirst) continue;
    RecordHead head;
    head.add(fragment->bytes);
    if (!head.complete() || head.behind() == head.sequence()) continue;
    const std::uint64_t least = next.value_or(0);
    if (head.sequence() >= least && head.sequence() - least < kRowsAheadMax) ++count;
  }
  return count;
}

// The records that are there from their beginning to their end, whatever is between them.
void each_sound_record(std::string_view file, const std::function<void(std::string_view record)>& visit) {
  std::string record;
  bool is_open = false;
  std::string ignored;
  for (std::size_t at = 0; at < file.size();) {
    if (block_end(at) - at < kFragmentHeadBytes) {
      at = block_end(at);
      continue;
    }
    const auto fragment = fragment_at(file, at, ignored);
    if (!fragment) {
      is_open = false;
      ++at;
      continue;
    }
    at = fragment->end;
    const bool begins = fragment->type == kWhole || fragment->type == kFirst;
    if (begins) record.clear();
    if (!begins && !is_open) continue;
    record.append(fragment->bytes);
    is_open = fragment->type == kFirst || fragment->type == kMiddle;
    if (!is_open && record.size() >= kRecordHeadBytes) visit(record);
  }
}

template <class Number>
void append_little(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void append_record(std::string& file, std::string_view record) {
  for (bool begins = true, ends = false; !ends; begins = false) {
    std::size_t room = block_end(file.size()) - file.size();
    if (room < kFragmentHeadBytes) file.append(std::exchange(room, kBlockBytes), '\0');
    const auto bytes = record.substr(0, room - kFragmentHeadBytes);
    record.remove_prefix(bytes.size());
    ends = record.empty();
    std::string typed(1, static_cast<char>(begins ? (ends ? kWhole : kFirst) : (ends ? kLast : kMiddle)));
    typed.append(bytes);
    append_little(file, masked(crc32c(typed)));
    append_little(file, static_cast<std::uint16_t>(bytes.size()));
    file.append(typed);
  }
}

std::optional<std::uint64_t> wal_number(const fs::path& file) {
  const std::string name = file.stem().string();
  std::uint64_t number = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
  if (file.extension() != ".log" || read.ec != std::errc() || read.ptr != name.data() + name.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string WalDamage::text() const {
  return fmt::format("{} at byte {}: {}, and {}", file.filename().string(), offset, what,
                     is_torn_tail()           ? "nothing is behind it"
                     : records_behind == 1    ? "a sound record is behind it"
                                              : fmt::format("{} sound records are behind it", records_behind));
}

std::map<std::uint64_t, std::uint64_t> wal_sizes(const fs::path& database) {
  std::map<std::uint64_t, std::uint64_t> sizes;
  for (const fs::directory_entry& entry : fs::directory_iterator(database)) {
    const auto number = wal_number(entry.path());
    std::error_code gone;
    const auto bytes = number ? entry.file_size(gone) : 0;
    if (number && !gone) sizes[*number] = bytes;
  }
  return sizes;
}

std::string wal_name(std::uint64_t number) { return fmt::format("{:06}.log", number); }

std::vector<fs::path> wal_files(const fs::path& database, std::uint64_t from) {
  std::vector<fs::path> files;
  for (const auto& [number, bytes] : wal_sizes(database)) {
    if (number >= from && bytes > 0) files.push_back(database / wal_name(number));
  }
  return files;
}

bool ends_soundly(const fs::path& file) {
  std::error_code gone;
  const std::uint64_t size = fs::file_size(file, gone);
  if (gone || size == 0) return true;
  std::string wrong;
  bool is_last = true;
  bool begins = false;
  for (std::uint64_t end = size; end > 0 && !begins; is_last = false) {
    const std::uint64_t begin = (end - 1) / kBlockBytes * kBlockBytes;
    const std::string block = read_file(file, begin).substr(0, end - begin);
    unsigned char type = kZero;
    for (std::size_t at = 0; at < block.size() && kBlockBytes - at >= kFragmentHeadBytes;) {
      const auto fragment = fragment_at(block, at, wrong);
      if (!fragment) return false;
      type = fragment->type;
      begins = begins || type == kWhole || type == kFirst;
      at = fragment->end;
    }
    if (is_last && type != kWhole && type != kLast) return false;
    end = begin;
  }
  return begins;
}

std::optional<WalDamage> find_wal_damage(const std::vector<fs::path>& files) {
  std::optional<WalDamage> damage;
  std::optional<std::uint64_t> next;
  for (const fs::path& file : files) {
    const std::string bytes = read_file(file, 0);
    if (damage) {
      damage->records_behind += count_records(bytes, 0, next);
      continue;
    }
    const Place place = read_sound(bytes, next);
    if (place.wrong.empty()) continue;
    damage = WalDamage{file, place.sound_bytes, bytes.size() - place.sound_bytes, place.wrong, 0};
    damage->records_behind = place.is_of_order ? count_records(bytes, place.seen_bytes, std::nullopt)
                                               : count_records(bytes, place.seen_bytes + 1, next);
  }
  return damage;
}

std::optional<FrameFault> find_frame_fault(std::string_view file) {
  std::string wrong;
  bool is_open = false;
  std::size_t sound = 0;
  std::size_t at = 0;
  while (at < file.size() && wrong.empty()) {
    if (block_end(at) - at < kFragmentHeadBytes) {
      at = block_end(at);
      continue;
    }
    const auto fragment = fragment_at(file, at, wrong);
    if (!fragment) break;
    const bool begins = fragment->type == kWhole || fragment->type == kFirst;
    if (begins == is_open) wrong = begins ? "a record has no end" : "a record has no beginning";
    is_open = fragment->type == kFirst || fragment->type == kMiddle;
    at = fragment->end;
    if (!is_open && wrong.empty()) sound = at;
  }
  if (wrong.empty() && is_open) wrong = "the file ends within a record";
  if (wrong.empty()) return std::nullopt;
  FrameFault fault{sound, wrong, 0};
  std::string ignored;
  // Less than a head is left of the block: the record that is not whole begins with the next one, and is not behind itself.
  const std::size_t begin = block_end(sound) - sound < kFragmentHeadBytes ? block_end(sound) : sound;
  for (at = begin + 1; at < file.size();) {
    const auto fragment = block_end(at) - at < kFragmentHeadBytes ? std::nullopt : fragment_at(file, at, ignored);
    if (fragment && (fragment->type == kWhole || fragment->type == kFirst)) ++fault.sound_behind;
    at = fragment ? fragment->end : at + 1;
  }
  return fault;
}

void copy_sound_records(const std::vector<fs::path>& files, const fs::path& to) {
  std::uint64_t next = 0;
  for (const fs::path& file : files) {
    std::string copy;
    each_sound_record(read_file(file, 0), [&](std::string_view record) {
      RecordHead head;
      head.add(record);
      if (head.sequence() < next) return;
      next = head.behind();
      append_record(copy, record);
    });
    write_file(to / file.filename(), copy);
  }
}

}  // namespace ota::eventstore
