#include "tests/property/grouped_rollout.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "domain/update/attempt.hpp"
#include "tests/domain/samples.hpp"
#include "tests/property/generators.hpp"

namespace ota::domain::testing {
namespace {

constexpr std::uint32_t kGroupsMax = 1'000'000;

class Rollout {
 public:
  Rollout(const GroupedWorld& world, const CampaignPolicy& policy) : world_(world), policy_(policy), now_(kNow) {
    seen_.id = kCampaign;
    truth_.campaign.id = kCampaign;
    Bitmap targets;
    targets.addRange(0, world.devices.size());
    devices_.resize(world.devices.size());
    write({{Stream(kCampaign), with_canary(created(targets, policy)), {}}});
    deliver();
    const auto started = decide(seen_, CampaignCommand(StartCampaign{}), context());
    if (!started) throw std::runtime_error("not started");
    write(started.value());
    deliver();
    for (std::uint32_t o = 0; o < devices_.size(); ++o) plan(now_ + world.devices[o].comes, What::kComes, o);
  }

  GroupedTruth run() {
    for (std::uint32_t group = 0; !seen_.closed; ++group) {
      if (group > kGroupsMax) throw std::runtime_error("the rollout does not come to its end");
      if (!move_on()) break;
      write_group(group);
      deliver();
      react(group);
      serve();
      end_rollback();
    }
    truth_.is_over = seen_.closed;
    return std::move(truth_);
  }

 private:
  using Grants = std::vector<std::pair<std::uint32_t, AttemptGranted>>;
  enum class What : std::uint8_t { kComes, kStarts, kEnds };
  struct Here {
    std::uint32_t attempts = 0;
    std::uint32_t retry_count = 0;
    std::uint32_t batch = 0;
    bool retry = false;
    bool started = false;
  };
  struct Decided {
    std::uint32_t turn = 0;                 // the group behind which it is decided anew
    std::uint32_t written = 0;              // the group with which it is written
    Events events{};
  };

  Context context() const { return {now_, {}, settings_}; }
  std::uint32_t drawn(std::uint64_t at, std::uint32_t salt, std::uint32_t most) const {
    std::uint64_t x = (at << 8 | salt) + (std::uint64_t{world_.seed} << 40);
    for (int round = 0; round < 3; ++round) x = (x ^ (x >> 31)) * 0x9e37'79b9'7f4a'7c15U + 1;
    return static_cast<std::uint32_t>((x >> 32) % (most + 1));
  }
  void plan(Time at, What what, std::uint32_t o) { queue_.emplace(at, std::pair(what, o)); }

  // To the next moment at which something is written; those are the same under every policy. What does not fit into one group is
  // written with the next, at the same moment. False: nothing will ever happen any more.
  bool move_on() {
    auto at = queue_.empty() ? std::optional<Time>() : std::optional(queue_.begin()->first);
    is_new_moment_ = !at || *at > now_;
    if (!is_new_moment_) return true;
    if (const auto wakes = wakes_at(seen_, last_at_); wakes && (!at || *wakes < *at)) at = wakes;
    if (decided_ || !grants_.empty() || !cancels_.empty() || !next(seen_, {}, 0, now_).own.empty()) at = now_;
    if (!at) return false;
    const auto most = static_cast<std::uint32_t>(world_.gap_max / std::chrono::milliseconds(1));
    do {
      now_ += std::chrono::milliseconds(1 + drawn(++moment_, 1, most - 1));
    } while (now_ < *at);
    return true;
  }

  void write(const Events& events) {
    for (const auto& emitted : events) {
      position_.value += 1;
      const Recorded recorded{position_, now_, emitted.stream, emitted.event, emitted.device, {}};
      truth_.log.push_back(recorded);
      undelivered_.push_back(recorded);
      note(recorded);
    }
  }
  void write_update(std::uint32_t o, Event event) { write({{UpdateId::in_campaign(kCampaign, {o}), std::move(event), {}}}); }

  void note(const Recorded& r) {
    evolve(truth_.campaign, r);
    if (const auto* id = std::get_if<UpdateId>(&r.stream); id && std::holds_alternative<AttemptGranted>(r.event)) {
      truth_.granted.add(id->ordinal.value);
    }
    const auto* paused = std::get_if<CampaignPaused>(&r.event);
    const bool stops = std::holds_alternative<CampaignRollbackBegun>(r.event) || (paused && paused->verdict);
    if (!stops || truth_.stopped_at) return;
    truth_.stopped_at = r.time;
    truth_.granted_when_stopped = static_cast<std::uint32_t>(truth_.granted.cardinality());
  }

  // What was granted before it decided, its own decision, then what devices did.
  void write_group(std::uint32_t group) {
    // How long a grant takes to be written does not depend on how much else is.
    for (auto& [o, granted] : is_new_moment_ ? std::exchange(grants_, {}) : Grants{}) {
      auto& d = devices_[o];
      d = {d.attempts + 1, d.retry_count, granted.batch, granted.retry, false};
      write_update(o, granted);
      plan(now_ + attempt_of(o).starts, What::kStarts, o);
    }
    if (decided_ && !decided_->events.empty() && decided_->written <= group && is_new_moment_) {
      write(decided_->events);
      decided_.reset();
    }
    for (const std::uint32_t o : std::exchange(cancels_, {})) {
      const auto& d = devices_[o];
      if (seen_.granted.contains(o) && d.started) continue;
      if (!seen_.granted.contains(o) && !seen_.untold.contains(o)) continue;
      write_update(o, UpdateCancelled{cause_of_end(seen_), seen_.granted.contains(o) ? d.attempts : 0, d.batch, d.retry});
    }
    for (auto most = 1 + drawn(group, 3, world_.group_max - 1); most > 0 && !queue_.empty() && queue_.begin()->first <= now_; --most) {
      const auto [what, o] = queue_.begin()->second;
      queue_.erase(queue_.begin());
      happen(what, o);
    }
    last_at_ = now_;
  }

  const GroupedDevice::Attempt& attempt_of(std::uint32_t o) const {
    const auto& all = world_.devices[o].attempts;
    return all[std::min<std::size_t>(devices_[o].attempts, all.size()) - 1];
  }

  void happen(What what, std::uint32_t o) {
    auto& d = devices_[o];
    if (what == What::kComes) return void(waiting_.push_back(o));
    if (!truth_.campaign.granted.contains(o)) return;   // it was cancelled
    if (what == What::kStarts) {
      AttemptStarted started;
      started.attempt = d.attempts;
      d.started = true;
      write_update(o, started);
      return plan(now_ + attempt_of(o).ends, What::kEnds, o);
    }
    const auto& a = attempt_of(o);
    AttemptEnded end;
    end.attempt = d.attempts;
    end.success = a.success;
    end.kind = FailureKind::kDevice;
    end.error_code = a.code;
    end.batch = d.batch;
    end.retry = d.retry;
    if (!a.success && d.retry_count < policy_.max_retries) {
      end.retry_count = ++d.retry_count;
      end.retry_at = now_ + std::chrono::minutes(1);
      plan(*end.retry_at + world_.devices[o].comes_again, What::kComes, o);
    }
    write_update(o, end);
  }

  void deliver() {
    for (const auto& event : std::exchange(undelivered_, {})) evolve(seen_, event);
  }

  void react(std::uint32_t group) {
    if (decided_ && decided_->turn <= group && decided_->events.empty()) decide_anew();
    if (!decided_ && !next(seen_, {}, 0, now_).own.empty()) {
      const auto turn = group + drawn(group, 4, world_.late_max) / 2;
      decided_ = Decided{turn, std::max(turn, group) + 1 + drawn(group, 5, world_.late_max) / 2};
      if (turn <= group) decide_anew();
    }
    const bool over = is_terminal(seen_.status) || seen_.status == CampaignStatus::kRollback;
    Bitmap stop = seen_.untold;
    if (over) stop |= seen_.granted;
    for (const std::uint32_t o : stop) {
      if (over || seen_.untold.contains(o)) cancels_.insert(o);
    }
    for (auto at = cancels_.begin(); at != cancels_.end();) {
      at = devices_[*at].started && seen_.granted.contains(*at) ? cancels_.erase(at) : std::next(at);
    }
  }

  void decide_anew() {
    decided_->events = next(seen_, {}, 0, now_).own;
    if (decided_->events.empty()) decided_.reset();
  }

  // Its ways back are left out.
  void end_rollback() {
    if (seen_.status != CampaignStatus::kRollback || !seen_.granted.isEmpty() || !seen_.untold.isEmpty()) return;
    write({{Stream(kCampaign), CampaignClosed{CampaignStatus::kFailed, {}}, {}}});
    deliver();
  }

  // From handing over a decision until it is written nobody is granted.
  void serve() {
    if (decided_ && !decided_->events.empty()) return;
    Reservations reserved;
    const auto reserve = [&](std::uint32_t o, const AttemptGranted& granted) {
      reserved.ordinals.add(o);
      if (!granted.retry && granted.batch == seen_.batch) ++reserved.in_batch;
    };
    for (const auto& [o, granted] : grants_) reserve(o, granted);
    std::deque<std::uint32_t> still;
    for (const std::uint32_t o : std::exchange(waiting_, {})) {
      if (!seen_.is_remaining(o)) continue;
      const auto free = room(seen_, reserved, now_);
      const bool retry = seen_.retries.contains(o);
      AttemptGranted* granted = nullptr;
      GrantDecision decision = Wait{};
      if (retry ? free.for_retries : free.for_first_attempts) {
        GrantAsk ask;
        ask.ordinal = {o};
        ask.facts.model = seen_.facts.device_model;
        ask.attempts = devices_[o].attempts;
        ask.batch = devices_[o].batch;
        decision = grant(seen_, reserved, ask, context());
        granted = std::get_if<AttemptGranted>(&decision);
      }
      if (!granted) {
        still.push_back(o);
        continue;
      }
      reserve(o, *granted);
      granted->plan.reset();
      grants_.emplace_back(o, *granted);
    }
    waiting_ = std::move(still);
  }

  const GroupedWorld& world_;
  const CampaignPolicy& policy_;
  Settings settings_;
  Time now_;
  std::uint64_t moment_ = 0;
  Time last_at_{};
  Position position_;
  Campaign seen_;                           // as delivered
  GroupedTruth truth_;                      // as written
  std::vector<Recorded> undelivered_;
  std::vector<Here> devices_;
  std::multimap<Time, std::pair<What, std::uint32_t>> queue_;
  std::deque<std::uint32_t> waiting_;
  bool is_new_moment_ = true;
  Grants grants_;
  std::set<std::uint32_t> cancels_;
  std::optional<Decided> decided_;
};

}  // namespace

GroupedTruth roll_out(const GroupedWorld& world, const CampaignPolicy& policy) { return Rollout(world, policy).run(); }

}  // namespace ota::domain::testing
