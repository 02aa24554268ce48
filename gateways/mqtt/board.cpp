#include "gateways/mqtt/board.hpp"

#include <algorithm>
#include <utility>

#include "gateways/mqtt/limits.hpp"

namespace ota::gateways::mqtt {

Board::Seat* Board::find(const std::string& device) {
  const auto found = places_.find(device);
  return found == places_.end() ? nullptr : &seats_[found->second];
}

void Board::forget(const std::string& device) {
  const auto found = places_.find(device);
  const auto place = found->second;
  places_.erase(found);
  if (place + 1 != seats_.size()) {
    seats_[place] = std::move(seats_.back());
    places_[seats_[place].device] = place;
  }
  seats_.pop_back();
}

void Board::touched(const std::string& device, const projections::PollRecord& record, Cause cause) {
  auto* seat = find(device);
  if (!seat) {
    if (!record.push) return;
    places_.emplace(device, seats_.size());
    seat = &seats_.emplace_back();
    seat->device = device;
  }
  seat->record = record;
  seat->vain = {};
  seat->next = {};
  switch (cause) {
    case Cause::kLapse:
    case Cause::kGone: seat->silent = true; break;
    case Cause::kTellAnew: seat->silent = false; break;
    default: break;
  }
}

bool Board::spoke(const std::string& device) {
  auto* seat = find(device);
  if (!seat || !std::exchange(seat->silent, false)) return false;
  seat->vain = {};
  seat->next = {};
  return true;
}

void Board::broker_is_back() {
  for (auto& seat : seats_) seat.unsure = true;
}

Board::Tell Board::told(const std::string& device, std::uint64_t fingerprint, Cause cause) {
  auto* seat = find(device);
  if (!seat) return Tell::kNothing;
  const auto before = std::exchange(seat->shown, fingerprint);
  const bool unsure = seat->unsure;
  const bool leaves = !seat->record.push || seat->record.deleted;
  if (leaves) forget(device);
  if (cause == Cause::kStart && fingerprint == 0 && !before) {
    if (!leaves) find(device)->shown.reset();  // what stands there is not known, and does no harm
    return Tell::kNothing;
  }
  const bool anew = cause == Cause::kTellAnew && fingerprint != 0;
  if (before == fingerprint && !(anew && unsure)) return anew ? Tell::kAgain : Tell::kNothing;
  if (!leaves) find(device)->unsure = false;
  return Tell::kNews;
}

void Board::begin_round() { left_in_round_ = seats_.size(); }

std::vector<std::string> Board::due(std::size_t most, std::size_t slice, Moment now, const Hope& hope) {
  std::vector<std::string> found;
  left_in_round_ = std::min(left_in_round_, seats_.size());
  while (left_in_round_ > 0 && slice > 0 && found.size() < most) {
    if (cursor_ >= seats_.size()) cursor_ = 0;
    auto& seat = seats_[cursor_++];
    --left_in_round_;
    --slice;
    if (seat.silent || seat.asking || seat.next > now || !hope(seat.record)) continue;
    seat.asking = true;
    found.push_back(seat.device);
  }
  return found;
}

void Board::asked(const std::string& device, bool in_vain, Moment now) {
  auto* seat = find(device);
  if (!seat) return;
  seat->asking = false;
  if (!in_vain) {
    seat->vain = {};
    return;
  }
  seat->vain = std::clamp(seat->vain * 2, limits::kVainMin, limits::kVainMax);
  seat->next = now + seat->vain;
}

void Board::hope_anew() {
  for (auto& seat : seats_) {
    seat.vain = {};
    seat.next = {};
  }
}

std::vector<std::string> Board::in_windows() const {
  std::vector<std::string> devices;
  for (const auto& seat : seats_) {
    if (seat.record.active.value != 0 && seat.record.has_window) devices.push_back(seat.device);
  }
  return devices;
}

domain::Time Board::next_ask_at() const {
  auto earliest = domain::Time::max();
  for (const auto& seat : seats_) {
    if (!seat.silent) earliest = std::min({earliest, seat.record.ask_at, seat.record.emergency_at});
  }
  return earliest;
}

}  // namespace ota::gateways::mqtt
