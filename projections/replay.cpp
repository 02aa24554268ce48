#include "projections/replay.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "projections/decoded.hpp"
#include "projections/limits.hpp"

namespace ota::projections {
namespace {

using Chunk = std::vector<domain::Recorded>;

// Decoded chunks on their way from the reading thread to the folding one; few, so that memory stays
// flat.
class Belt {
 public:
  // Waits for room; false: nobody takes any more.
  bool put(Chunk chunk) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || chunks_.size() < limits::kReplayChunksWaiting; });
    if (stopped_) return false;
    chunks_.push_back(std::move(chunk));
    changed_.notify_all();
    return true;
  }
  // Waits for a chunk; empty: that was the last.
  std::optional<Chunk> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ || !chunks_.empty(); });
    if (chunks_.empty()) return std::nullopt;
    Chunk chunk = std::move(chunks_.front());
    chunks_.pop_front();
    changed_.notify_all();
    return chunk;
  }
  void end(std::optional<eventstore::LogError> error) {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    error_ = std::move(error);
    changed_.notify_all();
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  // After the end.
  const std::optional<eventstore::LogError>& error() const { return error_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chunk> chunks_;
  bool ended_ = false;
  bool stopped_ = false;
  std::optional<eventstore::LogError> error_;
};

void read_ahead(const eventstore::Log& log, domain::Position after, std::size_t chunk_events, Belt& belt) {
  try {
    Chunk chunk;
    bool wanted = true;
    std::size_t bytes = 0;
    log.scan(to_store(after), [&](const eventstore::RecordedEvent& event) {
      if (chunk.empty()) chunk.reserve(chunk_events);
      chunk.push_back(decode(event));
      bytes += event.payload.size();
      if (chunk.size() == chunk_events || bytes >= limits::kReplayChunkBytes) {
        wanted = belt.put(std::exchange(chunk, {}));
        bytes = 0;
      }
      return wanted;
    });
    if (wanted && !chunk.empty()) belt.put(std::move(chunk));
    belt.end(std::nullopt);
  } catch (const eventstore::LogError& error) {
    belt.end(error);
  } catch (const std::exception& error) {
    belt.end(eventstore::LogError(error.what()));
  }
}

}  // namespace

void replay(const eventstore::Log& log, domain::Position after,
            const std::function<void(const std::vector<domain::Recorded>&)>& fold, std::size_t chunk_events) {
  Belt belt;
  std::thread reader([&] { read_ahead(log, after, chunk_events, belt); });
  // However this ends, the reader ends first: it uses what is declared here.
  struct Join {
    Belt& belt;
    std::thread& reader;
    ~Join() {
      belt.stop();
      reader.join();
    }
  };
  {
    const Join join{belt, reader};
    while (const auto chunk = belt.take()) fold(*chunk);
  }
  if (belt.error()) throw *belt.error();
}

}  // namespace ota::projections
