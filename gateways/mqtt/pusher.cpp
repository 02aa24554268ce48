#include "gateways/mqtt/pusher.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "domain/codec/codec.hpp"
#include "domain/streams.hpp"
#include "gateways/mqtt/limits.hpp"

namespace ota::gateways::mqtt {
namespace {

using Clock = std::chrono::steady_clock;

// Of its own stream, or of its update that is tagged with it.
std::optional<domain::DeviceId> device_of(const eventstore::RecordedEvent& event) {
  const auto named = [](std::string_view name) -> std::optional<domain::DeviceId> {
    auto stream = domain::parse_stream(name);
    if (auto* device = stream ? std::get_if<domain::DeviceId>(&*stream) : nullptr) return std::move(*device);
    return std::nullopt;
  };
  if (auto device = named(event.stream)) return device;
  for (const auto tag : event.tags) {
    if (auto device = named(tag)) return device;
  }
  return std::nullopt;
}

bool is_away(Cause cause) { return cause == Cause::kLapse || cause == Cause::kGone; }

// A campaign that starts, a firmware that comes, an owner's wish: a gate may open for anybody.
bool opens_gates(const eventstore::RecordedEvent& event) {
  const auto stream = domain::parse_stream(event.stream);
  return stream && (std::holds_alternative<domain::CampaignId>(*stream) || std::holds_alternative<domain::FirmwareId>(*stream) ||
                    std::holds_alternative<domain::UserStream>(*stream));
}

}  // namespace

// When the desk looks at everybody: soon after something happened, then after twice the time, and so on up to once a second.
// The first pause grows with the number of devices, so that looking at them does not fill the time.
class Pusher::Pace {
 public:
  void something_happened(std::size_t devices) {
    pause_ = std::clamp(std::chrono::milliseconds(devices / limits::kLooksPerMs), limits::kRoundMin, limits::kRound);
    next_round_ = std::min(next_round_, std::max(Clock::now(), last_round_ + pause_));
  }
  bool round_due() {
    const auto now = Clock::now();
    if (now < next_round_) return false;
    last_round_ = now;
    next_round_ = now + pause_;
    pause_ = std::min(pause_ * 2, limits::kRound);
    return true;
  }
  bool windows_due() {
    const auto now = Clock::now();
    if (now < next_windows_) return false;
    next_windows_ = now + limits::kRound;
    return true;
  }
  Clock::time_point next() const { return std::min(next_round_, next_windows_); }

 private:
  std::chrono::milliseconds pause_ = limits::kRoundMin;
  Clock::time_point last_round_{};
  Clock::time_point next_round_{};
  Clock::time_point next_windows_{};
};

Pusher::~Pusher() { stop(); }

void Pusher::on_group(const eventstore::GroupPtr& group) {
  const auto* service = service_.load();
  if (!service) return;
  static const auto lapsed = domain::event_type(domain::GrantLapsed{});
  static const auto push_changed = domain::event_type(domain::DevicePushChanged{});
  Touches touches;
  bool gates = false;
  for (const auto& event : group->events()) {
    if (auto device = device_of(event)) {
      const auto record = service->views().polls().find(device->value);
      if (!record || (!record->push && event.type != push_changed)) continue;
      add(touches, std::move(device->value), event.type == lapsed ? Cause::kLapse : Cause::kEvent);
    } else {
      gates = gates || opens_gates(event);
    }
  }
  if (touches.empty() && !gates) return;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [device, cause] : touches) add(touches_, device, cause);
    hope_anew_ = hope_anew_ || gates;
  }
  desk_wakes_.notify_one();
}

// Whether it is there is what was heard of it last; that something was recorded says nothing about that.
void Pusher::add(Touches& touches, std::string device, Cause cause) {
  const auto [place, is_new] = touches.try_emplace(std::move(device), cause);
  if (!is_new && (cause != Cause::kEvent || place->second == Cause::kStart)) place->second = cause;
}

void Pusher::spoke(const domain::DeviceId& device) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = touches_.find(device.value); found != touches_.end() && is_away(found->second)) {
      found->second = Cause::kEvent;  // it was taken for gone before it spoke
    }
  }
  if (!with_board([&](Board& board) { return board.spoke(device.value); })) return;
  {
    const std::lock_guard lock(mutex_);
    somebody_is_back_ = true;
  }
  desk_wakes_.notify_one();
}

void Pusher::heard(const domain::DeviceId& device, Cause cause) {
  {
    const std::lock_guard lock(mutex_);
    add(touches_, device.value, cause);
  }
  desk_wakes_.notify_one();
}

void Pusher::start(actors::Service& service, UrlOf url_of) {
  url_of_ = std::move(url_of);
  service_ = &service;
  auto known = service.views().polls().with_push();
  {
    const std::lock_guard lock(mutex_);
    for (auto& device : known) touches_.emplace(std::move(device), Cause::kStart);
  }
  threads_.emplace_back([this] { run_desk(); });
  for (std::size_t i = 0; i < limits::kAskers; ++i) threads_.emplace_back([this] { run_asker(); });
}

void Pusher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  desk_wakes_.notify_all();
  askers_wake_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  service_ = nullptr;
}

void Pusher::broker_is_back() {
  const std::lock_guard lock(board_mutex_);
  board_.broker_is_back();
}

std::size_t Pusher::devices() const {
  const std::lock_guard lock(board_mutex_);
  return board_.size();
}

// What fails here fails for this device and this time: the next event, or its next word, tries again.
void Pusher::guard(const char* what, const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    spdlog::error("mqtt: {}: {}", what, error.what());
  }
}

// ---- the desk --------------------------------------------------------------------------------------------------------

void Pusher::run_desk() {
  Pace pace;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    auto touches = std::exchange(touches_, {});
    const bool gates = std::exchange(hope_anew_, false);
    const bool somebody_is_back = std::exchange(somebody_is_back_, false);
    const auto room = limits::kAsksWaiting - std::min(asks_.size(), limits::kAsksWaiting);
    lock.unlock();
    if (gates) with_board([](Board& board) { board.hope_anew(); });
    if (!touches.empty() || gates || somebody_is_back) pace.something_happened(devices());
    look_at_all(std::move(touches), pace);
    begin_round(pace);
    auto due = whom_to_ask(room);
    const bool goes_on = with_board([](Board& board) { return !board.round_is_over(); });
    lock.lock();
    if (!due.empty()) {
      asks_.insert(asks_.end(), std::make_move_iterator(due.begin()), std::make_move_iterator(due.end()));
      askers_wake_.notify_all();
    }
    if (goes_on && asks_.size() < limits::kAsksWaiting) continue;
    desk_wakes_.wait_until(lock, pace.next(), [&] {
      const bool may_go_on = goes_on && asks_.size() <= limits::kAsksWaiting / 2;
      return stopping_ || hope_anew_ || somebody_is_back_ || !touches_.empty() || may_go_on;
    });
  }
}

void Pusher::look_at_all(Touches touches, Pace& pace) {
  if (pace.windows_due()) {
    for (auto& device : with_board([](Board& board) { return board.in_windows(); })) add(touches, std::move(device), Cause::kEvent);
  }
  for (const auto& [device, cause] : touches) {
    guard("a device's command cannot be made", [&, id = device, why = cause] { look_at(id, why); });
  }
}

// Most rounds of a fleet at rest need not look at anybody.
void Pusher::begin_round(Pace& pace) {
  if (!pace.round_due()) return;
  const auto& service = *service_.load();
  const bool offers = service.offers_something();
  with_board([&](Board& board) {
    if (offers || board.next_ask_at() <= service.now()) board.begin_round();
  });
}

std::vector<std::string> Pusher::whom_to_ask(std::size_t room) {
  const auto& service = *service_.load();
  const auto hope = [&](const projections::PollRecord& record) { return service.may_be_granted(record); };
  return with_board([&](Board& board) { return board.due(room, limits::kSlice, Clock::now(), hope); });
}

void Pusher::look_at(const std::string& device, Cause cause) {
  const auto record = service_.load()->views().polls().find(device);
  if (!record) return;
  const auto command = command_of(device, *record);
  auto tell = Board::Tell::kNothing;
  {
    const std::lock_guard lock(board_mutex_);
    board_.touched(device, *record, cause);
    tell = board_.told(device, command.fingerprint, cause);
  }
  if (tell == Board::Tell::kNothing) return;
  const auto kind = tell == Board::Tell::kNews ? Letter::Kind::kCommand : Letter::Kind::kReminder;
  publish_({topics_.down({device}), command.body, kind});
}

Command Pusher::command_of(const std::string& device, const projections::PollRecord& record) const {
  const auto action = record.push ? action_to_tell(record) : std::nullopt;
  if (!action) return {};
  const auto& service = *service_.load();
  const auto& views = service.views();
  const auto ref = views.action({device}, *action);
  const auto update = ref ? views.update(ref->update) : std::nullopt;
  if (!update) return {};
  const auto task = task_of(record, *action, ref->attempt);
  if (task.kind == Task::Kind::kCancel) return make_cancel(task, update->id);
  const auto firmware = views.firmware(update->plan.firmware);
  if (!firmware) return {};
  std::string timezone;
  if (update->plan.maintenance_window) {
    if (const auto known = views.device({device})) timezone = domain::facts_of(*known).timezone;
  }
  return make_command(task, *update, firmware->firmware, install_of(*update, ref->attempt, timezone, service.now()), url_of_);
}

// ---- the askers ------------------------------------------------------------------------------------------------------

void Pusher::run_asker() {
  auto& service = *service_.load();
  std::unique_lock lock(mutex_);
  while (true) {
    askers_wake_.wait(lock, [this] { return stopping_ || !asks_.empty(); });
    if (stopping_) return;
    const auto device = std::move(asks_.front());
    asks_.pop_front();
    if (asks_.size() == limits::kAsksWaiting / 2) desk_wakes_.notify_one();
    lock.unlock();
    bool in_vain = true;
    guard("a device cannot be asked for", [&] {
      const auto record = service.poll({device}, {});
      in_vain = !record || service.may_be_granted(record.value());
    });
    with_board([&](Board& board) { board.asked(device, in_vain, Clock::now()); });
    lock.lock();
  }
}

}  // namespace ota::gateways::mqtt
