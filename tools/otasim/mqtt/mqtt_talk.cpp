#include "tools/otasim/mqtt/mqtt_talk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tools/otasim/backoff.hpp"
#include "tools/otasim/mqtt/mqtt_report_path.hpp"
#include "tools/otasim/talk_accounts.hpp"

namespace ota::sim {
namespace {

// Draws of faults go by the number of a request; those of messages begin where no device gets to.
constexpr std::uint64_t kFirstDraw = std::uint64_t{1} << 32;

MqttIdentity identity_of(const DeviceProfile& profile, const MqttTopics& topics) {
  const std::string name = topic_level(profile.id);
  const std::string user = profile.mqtt_password.empty() ? std::string{} : name;
  std::string client_id = name;  // in which nats-server 2.9 must not find a percent sign
  std::replace(client_id.begin(), client_id.end(), '%', '=');
  // Its commands wait for it while it is away. Of an answer that it has missed it asks again.
  return {std::move(client_id), user, profile.mqtt_password, topics.up, bye_text(), {{topics.reply, 0}, {topics.down, 1}}};
}

}  // namespace

SaidTicket::SaidTicket(SaidTicket&& other) noexcept
    : talk_(std::exchange(other.talk_, nullptr)), number_(other.number_) {}

SaidTicket& SaidTicket::operator=(SaidTicket&& other) noexcept {
  if (this == &other) return *this;
  cancel();
  talk_ = std::exchange(other.talk_, nullptr);
  number_ = other.number_;
  return *this;
}

void SaidTicket::cancel() {
  if (MqttTalk* talk = std::exchange(talk_, nullptr)) talk->forget(number_);
}

MqttTalk::MqttTalk(World& world, const DeviceProfile& profile, Flash& flash, Record& record,
                   TalkOwner& owner)
    : world_(world),
      profile_(profile),
      flash_(flash),
      record_(record),
      owner_(owner),
      topics_(topics_of(world.options.tenant, profile.id)),
      identity_(identity_of(profile, topics_)) {}

void MqttTalk::start(std::chrono::milliseconds delay) {
  ++flash_.starts;
  connect_timer_ = world_.after(delay, [this] { connect(); });
}

// Of those that reboot half say good-bye to the broker; of the others it tells the service.
void MqttTalk::stop(GoingDown how) {
  ++lives_;
  using Farewell = MqttLink::Farewell;
  const bool polite =
      world_.choices.happens(0.5, profile_.id, "", fmt::format("disconnects-{}", flash_.starts));
  if (link_)
    link_->farewell(how == GoingDown::kPowerCut ? Farewell::kForget
                    : polite                    ? Farewell::kDisconnect
                                                : Farewell::kClose);
  link_.reset();
  for (SaidTicket* ticket : {&hello_, &acceptance_, &consent_, &cancel_}) ticket->cancel();
  for (TimerTicket* timer : {&connect_timer_, &hello_timer_, &consider_timer_, &pause_timer_})
    timer->cancel();
  said_.clear();
  latest_ = {};
  ended_.clear();
  accepting_.clear();
  confirming_.clear();
  cancelling_.clear();
  failures_ = 0;
  greeted_ = false;
  reported_ = false;
}

// --- the connection

void MqttTalk::connect() {
  ++connections_;
  ++world_.stats.mqtt_connections;
  MqttLinkOwner& self = *this;
  link_ = std::make_unique<MqttLink>(*world_.mqtt, self, identity_);
}

void MqttTalk::connect_again(const std::string& why) {
  greeted_ = false;
  pause_timer_.cancel();
  hello_timer_.cancel();
  ++failures_;
  ++world_.stats.mqtt_lost;
  world_.stats.mqtt_last_loss = why;
  const double spread =
      world_.choices.fraction(profile_.id, "", fmt::format("connect-{}", connections_));
  connect_timer_ = world_.after(backoff(failures_, spread, kConnectBackoffMax), [this] { connect(); });
}

void MqttTalk::hang_up(MqttLink::Farewell how, const std::string& why) {
  link_->farewell(how);
  link_.reset();
  connect_again(why);
}

void MqttTalk::link_down(const std::string& why) {
  link_.reset();
  connect_again(why);
}

void MqttTalk::link_up() {
  std::vector<std::uint64_t> unanswered;
  hello_.cancel();
  for (const Said& said : said_) unanswered.push_back(said.number);
  say_hello();
  // Any of them may be the last that this connection carries.
  for (const std::uint64_t number : unanswered) {
    const auto found = std::find_if(said_.begin(), said_.end(),
                                    [number](const Said& said) { return said.number == number; });
    if (found != said_.end() && link_) utter(*found);
  }
  report_what_was_installed();
}

void MqttTalk::say_hello() {
  std::map<std::string, std::string> attributes = world_.options.attributes;
  attributes["firmware_version"] = owner_.running_version();
  hello_ = say(hello_text(attributes), [this](const MqttReply& reply, std::chrono::microseconds) {
    hello_answered(reply);
  });
}

void MqttTalk::hello_answered(const MqttReply& reply) {
  greeted_ = true;
  failures_ = 0;
  if (!reply.ok) {
    ++world_.stats.mqtt_refused;
    if (reply.error == "invalid")
      world_.violation(profile_.id, fmt::format("hello is refused: {}", reply.message));
    hello_timer_ = world_.after(kBackoffMax, [this] { say_hello(); });
    return;
  }
  if (std::exchange(spoke_, true)) return;
  world_.journal.fact(profile_.id, "polled-first", {{"version", owner_.running_version()}});
  world_.journal.fact(profile_.id, "version", {{"version", owner_.running_version()}});
}

// --- what is said, and answered

SaidTicket MqttTalk::say(const std::string& message, OnReply on_reply) {
  Said said;
  said.number = ++last_number_;
  said.id = fmt::format("{}-{}", flash_.starts, said.number);
  said.body = with_id(said.id, message);
  said.on_reply = std::move(on_reply);
  said.first_at = EventLoop::now();
  const std::uint64_t number = said.number;
  said_.push_back(std::move(said));
  if (link_ && link_->is_up()) utter(said_.back());
  return {*this, number};
}

void MqttTalk::forget(std::uint64_t number) {
  std::erase_if(said_, [number](const Said& said) { return said.number == number; });
}

void MqttTalk::utter(Said& said) {
  ++world_.stats.mqtt_said;
  if (++said.tries > 1) ++world_.stats.mqtt_repeated;
  said.last_at = EventLoop::now();
  said.repeat =
      world_.after(world_.options.timeout, [this, number = said.number] { no_reply(number); });
  const auto fault = draw_fault(world_.options.faults.network, world_.choices, profile_.id,
                                kFirstDraw + ++utterances_);
  if (!fault || fault->kind == FaultKind::kStall || fault->place != FaultPlace::kInRequest)
    link_->publish(topics_.up, said.body);
  if (fault) strike(*fault);
}

// What a bad network does to the connection, before or after something was said.
void MqttTalk::strike(const NetworkFault& fault) {
  world_.mqtt->count(fault.kind);
  switch (fault.kind) {
    case FaultKind::kLoss:
      link_->go_deaf();
      pause_timer_ = world_.after(world_.options.timeout, [this] {
        hang_up(MqttLink::Farewell::kForget, "nothing comes through any more");
      });
      return;
    case FaultKind::kStall:
      link_->go_deaf();
      pause_timer_ = world_.after(fault.pause, [this] { link_->hear_again(); });
      return;
    case FaultKind::kReset:
      return hang_up(MqttLink::Farewell::kReset, "reset");
    case FaultKind::kHalfOpen:
      return hang_up(MqttLink::Farewell::kForget, "half-open");
  }
}

void MqttTalk::no_reply(std::uint64_t number) {
  const auto found = std::find_if(said_.begin(), said_.end(),
                                  [number](const Said& said) { return said.number == number; });
  if (found == said_.end() || !link_ || !link_->is_up()) return;  // said again when there is one
  if (link_->heard_at() >= found->last_at) return utter(*found);
  hang_up(MqttLink::Farewell::kForget, "the broker is not heard any more");
}

void MqttTalk::link_heard(std::vector<MqttMessage> messages) {
  const std::uint64_t life = lives_;
  for (const MqttMessage& message : messages) {
    if (message.topic == topics_.reply)
      hear_reply(message.body);
    else if (message.topic == topics_.down)
      hear_command(message.body);
    else
      world_.violation(profile_.id, "heard something on " + message.topic);
    if (life != lives_) return;  // it went down meanwhile
  }
}

void MqttTalk::hear_reply(const std::string& body) {
  const auto reply = parse_reply(body);
  if (!reply.value) return world_.violation(profile_.id, "reply: " + reply.error);
  const auto found = std::find_if(said_.begin(), said_.end(),
                                  [&](const Said& said) { return said.id == reply.value->id; });
  if (found == said_.end()) {  // answered already, or nobody waits for it any more
    ++world_.stats.mqtt_replies_unasked;
    return;
  }
  const Said said = std::move(*found);
  said_.erase(found);
  said.on_reply(*reply.value, std::chrono::duration_cast<std::chrono::microseconds>(
                                  EventLoop::now() - said.first_at));
}

// --- what is to be done

void MqttTalk::hear_command(const std::string& body) {
  auto command = parse_command(body);
  if (!command.value) return world_.violation(profile_.id, "command: " + command.error);
  ++world_.stats.mqtt_commands;
  latest_ = std::move(*command.value);
  consider();
}

void MqttTalk::consider_soon() {
  consider_timer_ = world_.after(std::chrono::milliseconds{0}, [this] { consider(); });
}

void MqttTalk::consider() {
  switch (latest_.kind) {
    case MqttCommand::Kind::kNothing:
      return;
    case MqttCommand::Kind::kUpdate:
      return take_update();
    case MqttCommand::Kind::kConfirm:
      return confirm();
    case MqttCommand::Kind::kCancel:
      return answer_cancel();
  }
}

void MqttTalk::take_update() {
  const std::string& action = latest_.action;
  if (flash_.unreported && flash_.unreported->action == action) return;  // it is told of that
  UpdateRun* run = owner_.run();
  if (run != nullptr && run->action() == action) return run->refresh(latest_.deployment);
  if (run != nullptr && run->phase() != Phase::kHolding) return;  // one after the other
  if (accepting_ != action && ended_ != action) accept();
}

void MqttTalk::accept() {
  accepting_ = latest_.action;
  acceptance_ = say(status_text(latest_.name, "accepted"),
                    [this, command = latest_](const MqttReply& reply, std::chrono::microseconds) {
                      accepting_.clear();
                      accept_answered(command, reply);
                    });
}

void MqttTalk::accept_answered(const MqttCommand& command, const MqttReply& reply) {
  if (!reply.ok && reply.error == "invalid")
    world_.violation(profile_.id, fmt::format("accepted is refused: {}", reply.message));
  if (!reply.go) {
    ++world_.stats.mqtt_no_go;
    world_.journal.fact(profile_.id, "no_go", {{"action", command.action}, {"why", reply.message}});
    return;
  }
  Attempt& attempt = record_.of(command.action);
  if (attempt.is_over())
    return world_.violation(
        profile_.id,
        fmt::format("action {} is to be begun after its end was acknowledged", command.action));
  Deployment deployment =
      latest_.action == command.action && latest_.kind == MqttCommand::Kind::kUpdate
          ? latest_.deployment
          : command.deployment;
  deployment.artifacts.front().url = reply.url;
  note_offer(world_, attempt, deployment);
  flash_.working_on = command.name;
  owner_.begin(std::move(deployment), std::make_unique<MqttReportPath>(*this, command.name));
}

// What was installed before the device was started is told, whatever is to be done now.
void MqttTalk::report_what_was_installed() {
  if (!flash_.unreported || std::exchange(reported_, true)) return;
  Deployment deployment;
  deployment.action = flash_.unreported->action;
  deployment.version = flash_.unreported->version;
  owner_.begin(std::move(deployment), std::make_unique<MqttReportPath>(*this, flash_.working_on));
}

void MqttTalk::work_ended(const std::string& action, RunEnd) {
  ended_ = action;
  consider_soon();
}

void MqttTalk::work_broken_off() { consider_soon(); }

void MqttTalk::confirm() {
  if (confirming_ == latest_.action) return;
  confirming_ = latest_.action;
  consent_ = say(status_text(latest_.name, "confirmed"),
                 [this](const MqttReply&, std::chrono::microseconds) { confirming_.clear(); });
}

void MqttTalk::answer_cancel() {
  const std::string action = latest_.action;
  if (cancelling_ == action) return;
  world_.journal.fact(profile_.id, "cancel_offered", {{"action", action}});
  const bool agreed = agrees_to_cancel(flash_, owner_.run(), action);
  if (accepting_ == action) {
    acceptance_.cancel();
    accepting_.clear();
  }
  if (agreed && owner_.run() != nullptr && owner_.run()->action() == action) owner_.drop_run();
  if (agreed) ended_ = action;
  cancelling_ = action;
  cancel_ = say(
      status_text(latest_.name, agreed ? "cancelled" : "cancel_refused"),
      [this, action, agreed](const MqttReply& reply, std::chrono::microseconds) {
        cancelling_.clear();
        world_.journal.fact(
            profile_.id, "cancel_answered",
            {{"action", action}, {"agreed", agreed}, {"status", std::int64_t{reply.ok ? 200 : 0}}});
        if (reply.ok) note_cancel(world_, profile_, record_.of(action), agreed);
      });
}

}  // namespace ota::sim
