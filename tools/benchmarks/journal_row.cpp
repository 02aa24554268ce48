// The journal's rows: how much of RocksDB's own speed is left to whoever appends.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "tools/benchmarks/disk.hpp"
#include "tools/benchmarks/journal_load.hpp"
#include "tools/benchmarks/journal_peer.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/rows.hpp"

namespace ota::bench {
namespace {

constexpr double kNever = std::numeric_limits<double>::max();
constexpr double kRatioCredible = 1.05;  // beyond the noise of a quiet machine

struct Best {
  Cost journal{kNever, kNever};
  Cost peer{kNever, kNever};
  double group = 0;  // mean events of the journal's best round
  double record_bytes = 0;
};

void keep_better(Cost& best, const Cost& other) {
  best.seconds = std::min(best.seconds, other.seconds);
  best.cpu_seconds = std::min(best.cpu_seconds, other.cpu_seconds);
}

// One after the other, so that a slow moment of the disk meets both.
void run_round(const std::filesystem::path& directory, const JournalLoad& load, bool compare,
               Best& best) {
  const auto journal_directory = directory / "journal";
  const auto peer_directory = directory / "peer";
  settle_disk(directory);
  const JournalRun run = run_journal(journal_directory, load);
  const JournalPeer peer(journal_directory);
  settle_disk(directory);
  const Cost peer_cost = peer.run(peer_directory, run.groups);
  if (compare) compare_logs(journal_directory, peer_directory);
  std::filesystem::remove_all(journal_directory);
  std::filesystem::remove_all(peer_directory);
  if (run.cost.seconds < best.journal.seconds) {
    best.group = static_cast<double>(load.events()) / static_cast<double>(run.groups.size());
  }
  keep_better(best.journal, run.cost);
  keep_better(best.peer, peer_cost);
  best.record_bytes = peer.record_bytes();
}

Row measure(const std::filesystem::path& directory, const Extent& extent, const JournalLoad& load,
            std::string work, std::optional<Goal> goal) {
  Best best;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    run_round(directory, load, /*compare=*/round == 0, best);
  }
  const auto events = static_cast<double>(load.events());
  Row row{std::move(work),
          events / best.journal.seconds,
          "events/s",
          Peer{"one WriteBatch a group, the same rows", events / best.peer.seconds},
          goal,
          fmt::format("{:.0f} events a group, {:.0f} bytes a record; processor {:.1f} us an event, "
                      "the peer's {:.1f}",
                      best.group, best.record_bytes, 1e6 * best.journal.cpu_seconds / events,
                      1e6 * best.peer.cpu_seconds / events)};
  // The peer does a part of the journal's work: it can only be slower if it was kept from working.
  if (row.ratio().value_or(0) > kRatioCredible) row.note += "; the peer was disturbed";
  return row;
}

}  // namespace

Rows measure_journal(const std::filesystem::path& directory, const Extent& extent) {
  JournalLoad pipelined;
  pipelined.events_per_producer = extent.quick ? 4'000 : 16'000;
  pipelined.in_flight_each = 32;
  JournalLoad waiting;
  waiting.events_per_producer = extent.quick ? 1'000 : 4'000;
  waiting.in_flight_each = 1;
  return {measure(directory, extent, pipelined, "journal, 16 producers, 32 in flight each",
                  Goal{Goal::Kind::kRatioAtLeast, 0.8, /*binding=*/true}),
          measure(directory, extent, waiting, "journal, 16 producers, 1 in flight each", {})};
}

}  // namespace ota::bench
