// The journal's peer: a plain loop that writes the very rows that a journal wrote, in the same
// groups, one WriteBatch and one fsync each.
//
// How it is fed: the rows are read from the journal's log and laid out in memory before the clock
// starts, with positions, times and leaf hashes as they were. The loop neither serialises nor
// hashes nor queues nor decides; it puts (log, streams, a row for each tag, the tiles as the proof
// tree wants them) and writes. Its database is opened by the journal's own code, so options and
// families are the same. It is what the journal could reach if everything that it does beside
// RocksDB were free; afterwards both databases are compared row by row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/types.hpp"
#include "tools/benchmarks/stopwatch.hpp"

namespace ota::bench {

class JournalPeer {
 public:
  // Reads the log in `directory`, which nobody may have open.
  explicit JournalPeer(const std::filesystem::path& directory);

  // Writes all rows into a new database, `groups` events at a time; answers what it cost.
  Cost run(const std::filesystem::path& directory, const std::vector<std::uint16_t>& groups) const;
  // Mean bytes of a record.
  double record_bytes() const;

 private:
  struct Event {
    std::size_t record_bytes = 0;
    std::size_t stream_key_bytes = 0;
    std::size_t tag_keys_begin = 0;  // in tag_key_bytes_
    std::size_t tag_keys_end = 0;
    eventstore::Hash leaf{};
  };
  void add(const eventstore::RecordedEvent& event);

  std::vector<Event> events_;
  std::vector<std::size_t> tag_key_bytes_;
  std::string bytes_;  // of each event: the record, its stream's key, its tags' keys
  std::size_t all_record_bytes_ = 0;
};

// Throws std::runtime_error, naming the family, if the rows of two logs differ anywhere.
void compare_logs(const std::filesystem::path& one, const std::filesystem::path& other);

}  // namespace ota::bench
