#include "tools/otasim/poll_chain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "tools/otasim/answer_class.hpp"
#include "tools/otasim/backoff.hpp"
#include "tools/otasim/http_report_path.hpp"
#include "tools/otasim/talk_accounts.hpp"

namespace ota::sim {
namespace {

// What SWUpdate takes when the server says 00:00:00.
constexpr std::chrono::milliseconds kSleepOfZero{45'000};
// Polls are spread by a tenth of the interval in both directions.
constexpr double kSleepJitter = 0.1;

}  // namespace

PollChain::PollChain(World& world, const DeviceProfile& profile, const Flash& flash, Record& record,
                     TalkOwner& owner)
    : world_(world),
      profile_(profile),
      style_(profile.style()),
      flash_(flash),
      record_(record),
      owner_(owner) {}

void PollChain::work_ended(const std::string&, RunEnd end) {
  if (talking_) return;  // that answer is too old now, and polls again
  // After a report that was heard the next poll may bring the next action; else there is no hurry.
  if (end == RunEnd::kSucceeded || end == RunEnd::kFailed || end == RunEnd::kDownloaded)
    return poll_after(std::chrono::milliseconds{0});
  poll_at_interval();
}

void PollChain::work_broken_off() {
  if (!talking_) poll_at_interval();
}

void PollChain::stop(GoingDown) {
  talk_.cancel();
  talking_ = false;
  timer_.cancel();
  failures_ = 0;
  config_pushed_ = false;
  ++turn_;
}

void PollChain::get(const std::string& url, std::function<void(const HttpAnswer&)> then) {
  HttpRequest request;
  request.url = url;
  send(std::move(request), std::move(then));
}

void PollChain::send(HttpRequest request, std::function<void(const HttpAnswer&)> then) {
  request.caller = profile_.caller;
  talking_ = true;
  talk_ = world_.http.send(std::move(request),
                           [this, turn = turn_, then = std::move(then)](const HttpAnswer& answer) {
                             talking_ = false;
                             if (turn != turn_) return poll_after(std::chrono::milliseconds{0});
                             then(answer);
                           });
}

// The address that this client makes of a link.
std::string PollChain::followed(const std::string& link) const {
  return style_.ignores_link_hosts ? world_.on_server(link) : link;
}

// Where the reports of an action go.
std::string PollChain::reports_of(const Deployment& deployment, const std::string& url) const {
  if (!style_.builds_paths) return feedback_url(url);
  return fmt::format("{}/deploymentBase/{}/feedback", profile_.url, deployment.action);
}

// --- polling

void PollChain::poll_after(std::chrono::milliseconds delay) {
  timer_ = world_.after(delay, [this] { poll(); });
}

void PollChain::poll_at_interval() {
  if (style_.one_connection_a_run) world_.http.hang_up(profile_.caller);
  const double spread = world_.choices.fraction(profile_.id, "", fmt::format("sleep-{}", polls_));
  const double factor = 1.0 - kSleepJitter + 2.0 * kSleepJitter * spread;
  poll_after(std::chrono::milliseconds{
      static_cast<std::int64_t>(static_cast<double>(sleep_.count()) * factor)});
}

void PollChain::poll() {
  ++polls_;
  ++world_.stats.polls;
  get(profile_.url, [this](const HttpAnswer& answer) { poll_answered(answer); });
}

void PollChain::poll_failed(const HttpAnswer& answer) {
  ++world_.stats.polls_failed;
  ++failures_;
  reaches_server_ = answer.complete && answer.head.status < 500;
  if (classify(answer, style_) != AnswerClass::kLater) return poll_at_interval();
  const double spread =
      world_.choices.fraction(profile_.id, "", fmt::format("poll-retry-{}", polls_));
  const std::chrono::milliseconds asked =
      std::min<std::chrono::milliseconds>(answer.head.retry_after, kBackoffMax);
  poll_after(std::max(asked, backoff(failures_, spread)));
}

void PollChain::poll_answered(const HttpAnswer& answer) {
  if (answer.complete) world_.stats.poll_latency.add(answer.elapsed);
  if (!answer.ok()) return poll_failed(answer);
  failures_ = 0;
  reaches_server_ = true;
  auto reply = parse_poll(answer.body);
  if (!reply.value) {
    world_.violation(profile_.id, "poll answer: " + reply.error);
    return poll_at_interval();
  }
  if (!std::exchange(polled_, true)) {
    world_.journal.fact(profile_.id, "polled-first", {{"version", owner_.running_version()}});
    world_.journal.fact(profile_.id, "version", {{"version", owner_.running_version()}});
  }
  sleep_ =
      reply.value->sleep.count() > 0 ? std::chrono::milliseconds{reply.value->sleep} : kSleepOfZero;
  if (world_.options.sleep_max.count() > 0) sleep_ = std::min(sleep_, world_.options.sleep_max);
  latest_ = std::move(*reply.value);
  follow(latest_);
}

void PollChain::follow(const PollReply& reply) {
  config_due_ = !reply.config_url.empty() || (style_.config_at_start && !config_pushed_);
  if (!reply.cancel_url.empty()) return cancel(followed(reply.cancel_url));
  if (config_due_ && !style_.deployment_first) return push_config();
  read_deployment();
}

// A step beside the update has been taken: some look again at once whether there is another one.
void PollChain::step_done() {
  if (style_.polls_after_each_step) return poll_after(std::chrono::milliseconds{0});
  poll_at_interval();
}

// --- attributes

void PollChain::push_config() {
  std::map<std::string, std::string> attributes = world_.options.attributes;
  attributes["firmware_version"] = owner_.running_version();
  HttpRequest request;
  request.method = Method::kPut;
  request.url = style_.builds_paths ? profile_.url + "/configData" : latest_.config_url;
  request.body = config_body(attributes, style_.config_mode);
  request.expects_continue = style_.expects_continue;
  ++world_.stats.config_pushes;
  send(std::move(request), [this, version = owner_.running_version()](const HttpAnswer& answer) {
    world_.journal.fact(profile_.id, "config_pushed",
                        {{"version", version}, {"status", std::int64_t{answer.head.status}}});
    const AnswerClass meaning = classify(answer, style_);
    if (meaning == AnswerClass::kRejected)
      world_.violation(profile_.id, fmt::format("configData answered {}: {}", answer.head.status,
                                                answer.body.substr(0, 200)));
    if (meaning == AnswerClass::kOk) config_pushed_ = true;
    if (meaning == AnswerClass::kOk && style_.polls_after_each_step) return step_done();
    if (style_.deployment_first) return poll_at_interval();
    read_deployment();
  });
}

// --- deployments

void PollChain::read_deployment() {
  const UpdateRun* run = owner_.run();
  const bool wanted = run == nullptr || run->phase() == Phase::kHolding;
  if (!latest_.deployment_url.empty() && wanted) {
    const std::string url = followed(latest_.deployment_url);
    return get(url, [this, url](const HttpAnswer& answer) { deployment_answered(answer, url); });
  }
  if (config_due_ && style_.deployment_first) return push_config();
  poll_at_interval();
}

void PollChain::deployment_answered(const HttpAnswer& answer, const std::string& url) {
  if (!answer.ok()) {
    if (classify(answer, style_) == AnswerClass::kRejected)
      world_.violation(profile_.id, fmt::format("deploymentBase answered {}", answer.head.status));
    return poll_at_interval();
  }
  auto parsed = parse_deployment(answer.body);
  if (!parsed.value) {
    world_.violation(profile_.id, "deploymentBase: " + parsed.error);
    return poll_at_interval();
  }
  take(*parsed.value, url);
}

void PollChain::take(Deployment& deployment, const std::string& url) {
  Attempt& attempt = record_.of(deployment.action);
  note_offer(world_, attempt, deployment);
  // Attributes go first, and what they lead to is seen at the next poll; but first of all a device
  // tells what it did before it was restarted.
  const bool reports = flash_.unreported && flash_.unreported->action == deployment.action;
  if (config_due_ && style_.deployment_first && !reports) return push_config();
  const bool at_work = owner_.run() != nullptr && owner_.run()->action() == deployment.action;
  // rauc waits as well: a download that may not begin yet is asked for again at the next poll.
  const bool waits = deployment.download == Mode::kSkip && style_.skip != Skip::kIgnores;
  const bool begins = !at_work && !attempt.is_over() && !attempt.given_up && !waits;
  if (!begins || style_.polls_while_busy) poll_at_interval();
  if (begins) {
    auto path = std::make_unique<HttpReportPath>(world_, profile_, reports_of(deployment, url));
    return owner_.begin(std::move(deployment), std::move(path));
  }
  if (at_work) return owner_.run()->refresh(deployment);
  if (attempt.is_over())
    world_.violation(
        profile_.id,
        fmt::format("action {} offered again after its end was acknowledged", deployment.action));
}

// --- cancels

void PollChain::cancel(const std::string& url) {
  if (!style_.reads_cancel) return answer_cancel(url, action_of_link(url));
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

void PollChain::answer_cancel(const std::string& url, const std::string& action) {
  const bool agreed = agrees_to_cancel(flash_, owner_.run(), action);
  if (agreed && record_.of(action).cancel_agreed)
    world_.violation(profile_.id,
                     fmt::format("cancel of {} offered again after it was agreed to", action));
  if (agreed && owner_.run() != nullptr && owner_.run()->action() == action) owner_.drop_run();
  const Feedback yes{"closed", "success", "cancelled", {}, {}};
  const Feedback no{style_.refusal, style_.refusal_finished, "installing", {}, {}};
  HttpRequest request;
  request.method = Method::kPost;
  request.url = feedback_url(url);
  request.body = feedback_body(agreed ? yes : no, wall_clock());
  send(std::move(request), [this, action, agreed](const HttpAnswer& answer) {
    cancel_answered(answer, action, agreed);
  });
}

void PollChain::cancel_answered(const HttpAnswer& answer, const std::string& action, bool agreed) {
  world_.journal.fact(
      profile_.id, "cancel_answered",
      {{"action", action}, {"agreed", agreed}, {"status", std::int64_t{answer.head.status}}});
  // Not acknowledged: the next poll offers it again.
  if (classify(answer, style_) != AnswerClass::kOk) return poll_at_interval();
  const bool is_news = note_cancel(world_, profile_, record_.of(action), agreed);
  if (!agreed || !is_news) return step_done();
  poll_after(std::chrono::milliseconds{0});
}

}  // namespace ota::sim
