#include "gateways/mqtt/mqtt_devices.hpp"

#include <optional>
#include <utility>

#include "gateways/mqtt/broker_link.hpp"
#include "gateways/mqtt/conversation.hpp"
#include "gateways/mqtt/inbox.hpp"
#include "gateways/mqtt/pusher.hpp"

namespace ota::gateways {
namespace {

mqtt::BrokerOptions broker_options(const MqttOptions& o, const char* what_for) {
  return {o.host, o.port, o.user, o.password, o.ca_file, what_for, o.retry_min, o.retry_max};
}
nats::ReconnectLoop::Options inbox_options(const MqttOptions& o) {
  return {o.nats_url, "ota_service devices", o.retry_min, o.retry_max, o.nats_ca_file};
}

}  // namespace

struct MqttDevices::Impl {
  explicit Impl(MqttOptions o)
      : options(std::move(o)),
        topics(options.tenant),
        commands(broker_options(options, "commands"), [this] { pusher.broker_is_back(); }),
        answers(broker_options(options, "answers")),
        pusher(topics, [this](mqtt::Letter letter) { commands.publish(std::move(letter)); }),
        inbox(inbox_options(options), topics, {options.stream_bytes_max, options.rate}) {}

  mqtt::Inbox::Came hear(const domain::DeviceId& device, std::string_view body) {
    const auto heard = mqtt::read_up(body);
    auto outcome = conversation->carry_out(device, heard);
    if (outcome.later) return mqtt::Inbox::Came::kLater;
    switch (outcome.then) {
      case mqtt::Outcome::Then::kSpoke: pusher.spoke(device); break;
      case mqtt::Outcome::Then::kTellAnew: pusher.heard(device, mqtt::Cause::kTellAnew); break;
      case mqtt::Outcome::Then::kGone: pusher.heard(device, mqtt::Cause::kGone); break;
    }
    if (outcome.reply) answers.publish({topics.reply(device), std::move(*outcome.reply)});
    return heard.message ? mqtt::Inbox::Came::kDone : mqtt::Inbox::Came::kMalformed;
  }

  void refuse(const domain::DeviceId& device, std::string_view body) {
    answers.publish({topics.reply(device), mqtt::make_too_often(mqtt::read_up(body).id, options.rate.per_s)});
  }

  const MqttOptions options;
  const mqtt::Topics topics;
  // nats-server takes nothing more of a connection until it has stored a command: answers do not wait for that.
  mqtt::BrokerLink commands;
  mqtt::BrokerLink answers;
  mqtt::Pusher pusher;
  std::optional<mqtt::Conversation> conversation;
  mqtt::Inbox inbox;
};

MqttDevices::MqttDevices(MqttOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
MqttDevices::~MqttDevices() { stop(); }

eventstore::Tail& MqttDevices::tail() { return impl_->pusher; }

void MqttDevices::start(actors::Service& service, MqttHooks hooks) {
  impl_->commands.start();
  impl_->answers.start();
  impl_->pusher.start(service, hooks.url_of);
  impl_->conversation.emplace(service, mqtt::Hooks{hooks.url_of, std::move(hooks.on_seen)}, impl_->options.plug_and_play);
  impl_->inbox.start(
      [impl = impl_.get()](const domain::DeviceId& device, std::string_view body) { return impl->hear(device, body); },
      [impl = impl_.get()](const domain::DeviceId& device, std::string_view body) { impl->refuse(device, body); });
}

void MqttDevices::stop() {
  impl_->inbox.stop();
  impl_->pusher.stop();
  impl_->commands.stop();
  impl_->answers.stop();
}

MqttStatus MqttDevices::status() const {
  auto told = impl_->commands.status();
  const auto answered = impl_->answers.status();
  told.connected = told.connected && answered.connected;
  if (told.last_error.empty()) told.last_error = answered.last_error;
  const auto heard = impl_->inbox.status();
  MqttStatus status;
  status.connected = told.connected && heard.link.ready;
  status.devices = impl_->pusher.devices();
  status.published = told.published + answered.published;
  status.waiting = told.waiting + answered.waiting;
  status.received = heard.received;
  status.malformed = heard.malformed;
  status.refused = heard.refused;
  const bool telling_fails = !told.connected && !told.last_error.empty();
  const bool hearing_fails = !heard.link.ready && !heard.link.last_error.empty();
  if (telling_fails && hearing_fails) {
    status.last_error = told.last_error + "; " + heard.link.last_error;
  } else {
    status.last_error = hearing_fails || told.last_error.empty() ? heard.link.last_error : told.last_error;
  }
  return status;
}

}  // namespace ota::gateways
