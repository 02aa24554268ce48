#include "actors/timer.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/messages.hpp"
#include "actors/world.hpp"

namespace ota::actors {
namespace {

using Key = std::tuple<domain::Time, domain::UpdateId, domain::UpdateDeadline>;

class Timer final : public caf::event_based_actor {
 public:
  Timer(caf::actor_config& config, World& world, std::function<void(std::vector<std::string>)> report)
      : caf::event_based_actor(config), world_(world), report_stuck_(std::move(report)) {}
  const char* name() const override { return "timer"; }

 protected:
  caf::behavior make_behavior() override {
    set_default_handler(caf::drop);
    started_ = world_.now();
    const domain::Time last = world_.log->head_time();
    outage_ = world_.log->head().value > 0 && last < started_ ? started_ - last : domain::Duration(0);
    delayed_send(this, std::chrono::milliseconds(0), Tick{});
    return {[this](const Tick&) {
      auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(limits::kTick);
      try {
        wait = tick();
      } catch (const std::exception& e) {  // the views cannot be read: tried again, and health has it
        spdlog::error("deadlines cannot be delivered: {}", e.what());
      }
      delayed_send(this, wait, Tick{});
    }};
  }

 private:
  struct Delivery {
    domain::Time again{};
    int count = 0;
  };

  // Delivers what is due; how long until the next time.
  std::chrono::milliseconds tick() {
    const auto now = world_.now();
    std::map<Key, Delivery> still;
    // Those that wait for their next delivery, or were given up, stand in front of nobody.
    const auto is_deliverable = [&](const projections::Deadline& deadline) {
      const auto before = deliveries_.find(key_of(deadline));
      if (before == deliveries_.end()) return true;
      still.insert(*before);
      return before->second.again <= now && before->second.count <= limits::kDeliveriesMax;
    };
    const auto batch = world_.views->due(now, limits::kDueBatch, is_deliverable);
    for (const auto& deadline : batch) {
      const auto [found, is_new] = still.try_emplace(key_of(deadline));
      auto& delivery = found->second;
      if (is_new) delivery.again = first_delivery(deadline);
      if (delivery.again > now) continue;
      if (delivery.count == limits::kDeliveriesMax) {
        ++delivery.count;
        continue;
      }
      delivery.again = now + limits::kRedeliver * (1 << delivery.count);
      ++delivery.count;
      deliver(deadline);
    }
    const bool full = batch.size() == limits::kDueBatch;
    if (full) still.merge(deliveries_);  // those behind the batch were not looked at
    deliveries_ = std::move(still);
    report_stuck();
    world_.alarms.ring(now);
    if (now - swept_ >= limits::kSweep) {
      swept_ = now;
      for (auto& shard : world_.shards) shard.sweep();
    }
    auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(limits::kTick);
    for (const auto& next : {world_.views->next_deadline(), world_.alarms.next()}) {
      if (next && *next > now) wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(*next - now));
    }
    return full ? std::chrono::milliseconds(0) : wait;
  }

  void report_stuck() {
    std::vector<std::string> stuck;
    for (const auto& [key, delivery] : deliveries_) {
      if (delivery.count <= limits::kDeliveriesMax) continue;
      stuck.push_back(fmt::format("deadline of {} was delivered {} times without effect",
                                  domain::to_text(std::get<domain::UpdateId>(key)), limits::kDeliveriesMax));
    }
    if (stuck == stuck_) return;
    stuck_ = stuck;
    report_stuck_(std::move(stuck));
  }

  static Key key_of(const projections::Deadline& d) { return {d.due, d.update, d.kind}; }

  domain::Time first_delivery(const projections::Deadline& deadline) const {
    if (deadline.due > started_ || outage_ == domain::Duration(0)) return deadline.due;
    domain::Duration patience = outage_;
    if (const auto update = world_.views->update(deadline.update)) {
      patience = std::min<domain::Duration>(patience, std::chrono::minutes(update->plan.timeout_minutes));
    }
    return started_ + patience;
  }

  void deliver(const projections::Deadline& deadline) {
    auto request = std::make_shared<Request>();
    request->to = deadline.update;
    request->command = domain::UpdateCommand(domain::DeadlineReached{deadline.kind, deadline.attempt});
    world_.send(std::move(request));
  }

  World& world_;
  std::function<void(std::vector<std::string>)> report_stuck_;
  std::vector<std::string> stuck_;        // as reported
  std::map<Key, Delivery> deliveries_;
  domain::Time started_{};
  domain::Duration outage_{};
  domain::Time swept_{};
};

}  // namespace

caf::actor spawn_timer(caf::actor_system& system, World& world,
                       std::function<void(std::vector<std::string>)> report_stuck) {
  return system.spawn<Timer>(std::ref(world), std::move(report_stuck));
}

}  // namespace ota::actors
