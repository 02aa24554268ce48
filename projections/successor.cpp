#include "projections/successor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "projections/decoded.hpp"
#include "projections/limits.hpp"
#include "projections/replay.hpp"

namespace ota::projections {
namespace {

// Thrown through replay(), which passes it on.
struct BrokenOff {};

}  // namespace

Successor::Successor(std::filesystem::path folder, const domain::Settings& settings)
    : edition_(std::make_shared<Edition>(std::move(folder), settings, front_)) {}

Successor::~Successor() {
  if (edition_) edition_->delete_at_end();
}

void Successor::expect_sound() const {
  const auto broken = edition_->pipeline().broken();
  if (!broken.empty()) throw std::runtime_error(fmt::format("the views that were built are broken: {}", broken));
}

bool Successor::catch_up(const eventstore::Log& log, const RebuildProgress& go_on, domain::Position until) {
  const auto head = [&] { return std::min(to_domain(log.head()), until); };
  const auto look = [&] {
    expect_sound();
    if (!go_on(edition_->folded().value, head().value)) throw BrokenOff();
  };
  try {
    for (bool far = true; far;) {
      look();
      const auto begin = edition_->position();
      far = head().value - begin.value > limits::kSwapEvents;
      {
        const Bulk bulk(*edition_, head().value - begin.value);
        const auto fold = [&](const std::vector<domain::Recorded>& chunk) {
          const auto behind = std::find_if(chunk.begin(), chunk.end(), [&](const auto& event) { return event.position > until; });
          edition_->fold(behind == chunk.end() ? chunk : std::vector(chunk.begin(), behind));
          if (!bulk.is_under_way()) edition_->flush_if_many();
          look();
        };
        replay(log, begin, fold, bulk.is_under_way() ? limits::kBulkChunkEvents : limits::kReplayChunkEvents);
      }
      edition_->flush(true);
    }
  } catch (const BrokenOff&) {
    return false;
  }
  expect_sound();
  return true;
}

bool Successor::level_with(const eventstore::Log& log, domain::Position until) {
  const auto begin = edition_->position();
  if (begin > until || until.value - begin.value > limits::kSwapEvents) return false;
  std::vector<domain::Recorded> rest;
  if (begin < until) {
    log.scan(to_store(begin), [&](const eventstore::RecordedEvent& event) {
      rest.push_back(decode(event));
      return event.position < to_store(until);
    });
  }
  edition_->fold(rest);
  expect_sound();
  return true;
}

std::shared_ptr<Edition> Successor::release(PollFront& front) {
  edition_->move_to(front);
  return std::move(edition_);
}

}  // namespace ota::projections
