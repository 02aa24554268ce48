#include "actors/timer.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "actors/messages.hpp"
#include "actors/world.hpp"

namespace ota::actors {
namespace {

using Key = std::tuple<domain::Time, domain::UpdateId, domain::UpdateDeadline>;

class Timer final : public caf::event_based_actor {
 public:
  Timer(caf::actor_config& config, World& world, std::function<void(const std::string&)> report)
      : caf::event_based_actor(config), world_(world), report_stuck_(std::move(report)) {}
  const char* name() const override { return "timer"; }

 protected:
  caf::behavior make_behavior() override {
    set_default_handler(caf::drop);
    started_ = world_.now();
    const domain::Time last = world_.log->head_time();
    outage_ = world_.log->head().value > 0 && last < started_ ? started_ - last : domain::Duration(0);
    delayed_send(this, std::chrono::milliseconds(0), Tick{});
    return {[this](const Tick&) { tick(); }};
  }

 private:
  struct Delivery {
    domain::Time again{};
    int count = 0;
  };

  void tick() {
    const auto now = world_.now();
    std::map<Key, Delivery> still;
    for (const auto& deadline : world_.views->due(now, limits::kDueBatch)) {
      const Key key{deadline.due, deadline.update, deadline.kind};
      auto& delivery = still[key];
      if (const auto before = deliveries_.find(key); before != deliveries_.end()) {
        delivery = before->second;
      } else {
        delivery.again = first_delivery(deadline);
      }
      if (delivery.again > now || delivery.count > limits::kDeliveriesMax) continue;
      if (delivery.count == limits::kDeliveriesMax) {
        report_stuck_(fmt::format("deadline of {} was delivered {} times without effect",
                                  domain::to_text(deadline.update), delivery.count));
        ++delivery.count;
        continue;
      }
      delivery.again = now + limits::kRedeliver * (1 << delivery.count);
      ++delivery.count;
      deliver(deadline);
    }
    deliveries_ = std::move(still);
    if (now - swept_ >= limits::kSweep) {
      swept_ = now;
      for (const auto& shard : world_.shards) caf::anon_send(shard, Tick{});
    }
    auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(limits::kTick);
    if (const auto next = world_.views->next_deadline(); next && *next > now) {
      wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(*next - now));
    }
    delayed_send(this, wait, Tick{});
  }

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
  std::function<void(const std::string&)> report_stuck_;
  std::map<Key, Delivery> deliveries_;
  domain::Time started_{};
  domain::Duration outage_{};
  domain::Time swept_{};
};

}  // namespace

caf::actor spawn_timer(caf::actor_system& system, World& world,
                       std::function<void(const std::string&)> report_stuck) {
  return system.spawn<Timer>(std::ref(world), std::move(report_stuck));
}

}  // namespace ota::actors
