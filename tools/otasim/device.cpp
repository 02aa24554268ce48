#include "tools/otasim/device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "tools/otasim/answer_class.hpp"
#include "tools/otasim/backoff.hpp"

namespace ota::sim {
namespace {

// What SWUpdate takes when the server says 00:00:00.
constexpr std::chrono::milliseconds kSleepOfZero{45'000};
// Polls are spread by a tenth of the interval in both directions.
constexpr double kSleepJitter = 0.1;

}  // namespace

Device::Device(World& world, DeviceProfile profile)
    : world_(world),
      profile_(std::move(profile)),
      poll_url_(fmt::format("{}/{}/controller/v1/{}", world.options.server, world.options.tenant,
                            profile_.id)) {
  flash_.version = world.options.initial_version;
}

void Device::boot(std::chrono::milliseconds delay) { poll_after(delay); }

std::optional<Phase> Device::phase() const {
  if (!run_) return std::nullopt;
  return run_->phase();
}

void Device::get(const std::string& url, std::function<void(const HttpAnswer&)> then) {
  send(Method::kGet, url, {}, std::move(then));
}

void Device::send(Method method, const std::string& url, std::string body,
                  std::function<void(const HttpAnswer&)> then) {
  HttpRequest request;
  request.caller = profile_.caller;
  request.method = method;
  request.url = url;
  request.body = std::move(body);
  talking_ = true;
  talk_ = world_.http.send(std::move(request),
                           [this, turn = turn_, then = std::move(then)](const HttpAnswer& answer) {
                             talking_ = false;
                             if (turn != turn_) return poll_after(std::chrono::milliseconds{0});
                             then(answer);
                           });
}

void Device::hang_up() {
  talk_.cancel();
  talking_ = false;
}

void Device::drop_run() {
  run_.reset();
  ++turn_;
}

// --- polling

void Device::poll_after(std::chrono::milliseconds delay) {
  timer_ = world_.after(delay, [this] { poll(); });
}

void Device::poll_at_interval() {
  const double spread = world_.choices.fraction(profile_.id, "", fmt::format("sleep-{}", polls_));
  const double factor = 1.0 - kSleepJitter + 2.0 * kSleepJitter * spread;
  poll_after(std::chrono::milliseconds{
      static_cast<std::int64_t>(static_cast<double>(sleep_.count()) * factor)});
}

void Device::poll() {
  ++polls_;
  ++world_.stats.polls;
  get(poll_url_, [this](const HttpAnswer& answer) { poll_answered(answer); });
}

void Device::poll_failed(const HttpAnswer& answer) {
  ++world_.stats.polls_failed;
  ++failures_;
  reaches_server_ = answer.complete && answer.head.status < 500;
  if (classify(answer) != AnswerClass::kLater) return poll_at_interval();
  const double spread =
      world_.choices.fraction(profile_.id, "", fmt::format("poll-retry-{}", polls_));
  const std::chrono::milliseconds asked =
      std::min<std::chrono::milliseconds>(answer.head.retry_after, kBackoffMax);
  poll_after(std::max(asked, backoff(failures_, spread)));
}

void Device::poll_answered(const HttpAnswer& answer) {
  if (answer.complete) world_.stats.poll_latency.add(answer.elapsed);
  if (!answer.ok()) return poll_failed(answer);
  failures_ = 0;
  reaches_server_ = true;
  const auto reply = parse_poll(answer.body);
  if (!reply.value) {
    world_.violation(profile_.id, "poll answer: " + reply.error);
    return poll_at_interval();
  }
  if (!polled_) {
    polled_ = true;
    world_.journal.fact(profile_.id, "polled-first", {{"version", flash_.version}});
    world_.journal.fact(profile_.id, "version", {{"version", flash_.version}});
  }
  sleep_ =
      reply.value->sleep.count() > 0 ? std::chrono::milliseconds{reply.value->sleep} : kSleepOfZero;
  if (world_.options.sleep_max.count() > 0) sleep_ = std::min(sleep_, world_.options.sleep_max);
  follow(*reply.value);
}

void Device::follow(const PollReply& reply) {
  if (!reply.cancel_url.empty()) return read_cancel(reply.cancel_url);
  if (!reply.config_url.empty()) return push_config(reply.config_url, reply.deployment_url);
  read_deployment(reply.deployment_url);
}

// --- attributes

void Device::push_config(const std::string& url, const std::string& deployment_url) {
  std::map<std::string, std::string> attributes = world_.options.attributes;
  attributes["firmware_version"] = flash_.version;
  ++world_.stats.config_pushes;
  send(Method::kPut, url, config_body(attributes),
       [this, deployment_url](const HttpAnswer& answer) {
         world_.journal.fact(
             profile_.id, "config_pushed",
             {{"version", flash_.version}, {"status", std::int64_t{answer.head.status}}});
         if (classify(answer) == AnswerClass::kRejected)
           world_.violation(profile_.id,
                            fmt::format("configData answered {}: {}", answer.head.status,
                                        answer.body.substr(0, 200)));
         read_deployment(deployment_url);
       });
}

// --- cancels

// Until the install begins a cancel is agreed to; an action that this device does not work on has
// nothing to lose.
bool Device::agrees_to_cancel(const std::string& action) const {
  if (flash_.unreported && flash_.unreported->action == action) return false;
  return !run_ || run_->action() != action || run_->can_cancel();
}

void Device::read_cancel(const std::string& url) {
  get(url, [this, url](const HttpAnswer& answer) {
    if (!answer.ok()) return poll_at_interval();
    const auto action = parse_cancel(answer.body);
    if (!action.value) {
      world_.violation(profile_.id, "cancelAction: " + action.error);
      return poll_at_interval();
    }
    world_.journal.fact(profile_.id, "cancel_offered", {{"action", *action.value}});
    answer_cancel(url, *action.value);
  });
}

void Device::answer_cancel(const std::string& url, const std::string& action) {
  const bool agreed = agrees_to_cancel(action);
  if (agreed && flash_.agreed_cancel == action)
    world_.violation(profile_.id,
                     fmt::format("cancel of {} offered again after it was agreed to", action));
  if (agreed && run_ && run_->action() == action) drop_run();
  const Feedback feedback = agreed ? Feedback{"closed", "success", "cancelled", {}, {}}
                                   : Feedback{"rejected", "none", "installing", {}, {}};
  send(
      Method::kPost, feedback_url(url), feedback_body(feedback, wall_clock()),
      [this, action, agreed](const HttpAnswer& answer) {
        world_.journal.fact(
            profile_.id, "cancel_answered",
            {{"action", action}, {"agreed", agreed}, {"status", std::int64_t{answer.head.status}}});
        // Not acknowledged: the next poll offers it again.
        if (!answer.ok()) return poll_at_interval();
        const bool again = flash_.agreed_cancel == action;
        if (!agreed) {
          if (flash_.refused_cancel != action) ++world_.stats.cancels_refused;
          flash_.refused_cancel = action;
          return poll_at_interval();
        }
        if (again) return poll_at_interval();
        flash_.agreed_cancel = action;
        ++world_.stats.cancels_agreed;
        world_.stats.count(RunEnd::kCancelled);
        world_.journal.fact(profile_.id, "ended", {{"action", action}, {"how", "cancelled"}});
        poll_after(std::chrono::milliseconds{0});
      });
}

// --- deployments

void Device::read_deployment(const std::string& url) {
  const bool wanted = !run_ || run_->phase() == Phase::kHolding;
  if (url.empty() || !wanted) return poll_at_interval();
  get(url, [this, url](const HttpAnswer& answer) { deployment_answered(answer, url); });
}

void Device::deployment_answered(const HttpAnswer& answer, const std::string& url) {
  if (!answer.ok()) {
    if (classify(answer) == AnswerClass::kRejected)
      world_.violation(profile_.id, fmt::format("deploymentBase answered {}", answer.head.status));
    return poll_at_interval();
  }
  auto parsed = parse_deployment(answer.body);
  if (!parsed.value) {
    world_.violation(profile_.id, "deploymentBase: " + parsed.error);
    return poll_at_interval();
  }
  Deployment& deployment = *parsed.value;
  poll_at_interval();
  if (run_ && run_->action() == deployment.action) return run_->refresh(deployment);
  if (deployment.action == flash_.closed_action || deployment.action == flash_.agreed_cancel) {
    world_.violation(
        profile_.id,
        fmt::format("action {} offered again after its end was acknowledged", deployment.action));
    return;
  }
  // rauc waits as well: a download that may not begin yet is asked for again at the next poll.
  if (deployment.download == Mode::kSkip) return;
  begin(std::move(deployment), url);
}

void Device::begin(Deployment deployment, const std::string& url) {
  drop_run();  // one that held for an action which is no longer offered
  failed_at_.reset();
  ++world_.stats.offers;
  world_.stats.last_offer = EventLoop::now();
  world_.journal.fact(profile_.id, "offered",
                      {{"action", deployment.action}, {"version", deployment.version}});
  RunOwner& self = *this;
  run_ = std::make_unique<UpdateRun>(world_, self, profile_, flash_, std::move(deployment), url);
  run_->start();
}

// --- what the run says

void Device::run_ended(RunEnd end) {
  const std::unique_ptr<UpdateRun> ended = std::move(run_);
  drop_run();
  world_.stats.count(end);
  world_.journal.fact(profile_.id, "ended", {{"action", ended->action()}, {"how", to_text(end)}});
  if (end == RunEnd::kSucceeded)
    world_.stats.update_duration.add(std::chrono::duration_cast<std::chrono::microseconds>(
        EventLoop::now() - ended->started_at()));
  if (end == RunEnd::kFailed) failed_at_ = EventLoop::now();
  if (talking_) return;  // that answer is too old now, and polls again
  // Ended by its own report: the next poll may bring the next action. Ended otherwise: no need to
  // hurry.
  if (end == RunEnd::kGone || end == RunEnd::kRejected) return poll_at_interval();
  poll_after(std::chrono::milliseconds{0});
}

void Device::reboot_begins() {
  hang_up();
  world_.http.hang_up(profile_.caller);
  timer_.cancel();
}

void Device::power_failed(CutPlace where) {
  world_.http.power_failed(profile_.caller);  // before anything is cancelled
  std::unique_ptr<UpdateRun> ended = std::move(run_);
  drop_run();
  flash_.cut_action = ended->action();
  ++world_.stats.power_cuts[static_cast<std::size_t>(where)];
  world_.journal.fact(profile_.id, "power_cut",
                      {{"action", ended->action()}, {"where", to_text(where)}});
  hang_up();
  powered_ = false;
  failures_ = 0;
  const auto extra =
      static_cast<std::int64_t>(world_.choices.fraction(profile_.id, ended->action(), "power-gap") *
                                static_cast<double>(world_.options.reboot.count()));
  timer_ = world_.after(world_.options.reboot + std::chrono::milliseconds{extra}, [this] {
    powered_ = true;
    world_.journal.fact(profile_.id, "rebooted", {{"action", flash_.cut_action}});
    poll();
  });
}

}  // namespace ota::sim
