#include "gateways/nats/deletion_listener.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "eventstore/sha256.hpp"
#include "gateways/nats/limits.hpp"
#include "gateways/nats/log_history.hpp"

namespace ota::gateways::nats {
namespace {

// The stream that keeps the subject; created, as the platform would, if there is none. A pattern may also fit the
// service's own messages, which are not what is meant.
std::string find_or_create_stream(Connection& connection, const std::string& subject) {
  for (auto& stream : connection.streams_of(subject)) {
    if (stream != kOwnStream) return std::move(stream);
  }
  const auto service = conventional_service(subject);
  if (service.empty()) {
    throw BusError(
        fmt::format("no stream keeps \"{}\", and none can be created for it: its first part is no "
                    "service's name",
                    subject));
  }
  const auto stream = service + "-stream";
  connection.create_stream_if_missing(stream, service + ".>");
  return stream;
}

// Equal for every delivery of the same event about the same device, and for nothing else.
eventstore::CommandId command_of(const Deletion& deletion, const Delivery& delivery) {
  std::string event = deletion.event_id;
  if (event.empty()) event = delivery.message_id();
  if (event.empty()) {
    event =
        fmt::format("{} {}", delivery.sequence(), delivery.stored_at().time_since_epoch().count());
  }
  const auto hash = eventstore::Sha256().hash(
      fmt::format("{}\n{}\n{}", delivery.subject(), event, deletion.id));
  eventstore::CommandId command;
  std::copy_n(hash.begin(), command.bytes.size(), command.bytes.begin());
  return command;
}

}  // namespace

std::string durable_name(std::string_view subject) {
  std::string name = "ota_service_";
  for (const char c : subject) {
    if (c == '.') {
      name += '_';
    } else if (c == '*') {
      name += "any";
    } else if (c == '>') {
      name += "all";
    } else {
      name += c;
    }
  }
  return name;
}

std::string conventional_service(std::string_view subject) {
  const auto dot = subject.find('.');
  if (dot == std::string_view::npos) return {};
  const auto first = subject.substr(0, dot);
  return first.find_first_of("*>") == std::string_view::npos ? std::string(first) : std::string();
}

DeletionListener::DeletionListener(ReconnectLoop::Options options, std::string subject, Of of)
    : subject_(std::move(subject)),
      of_(of),
      loop_(std::move(options), [this](Connection& connection) { session(connection); }) {}

void DeletionListener::start(actors::Service& service) {
  service_ = &service;
  loop_.start();
}

void DeletionListener::stop() { loop_.stop(); }

DeletionListener::Status DeletionListener::status() const {
  return {loop_.state(), received_.load(), malformed_.load()};
}

void DeletionListener::session(Connection& connection) {
  const auto stream = find_or_create_stream(connection, subject_);
  PullConsumer consumer(connection, stream, durable_name(subject_), subject_, limits::kSilence, &first_);
  loop_.ready();
  while (!loop_.stopping()) {
    if (auto delivery = consumer.next(limits::kPull)) handle(std::move(*delivery));
    if (!connection.is_open()) throw BusError("the connection was lost");
  }
}

void DeletionListener::handle(Delivery delivery) {
  const auto parsed = parse_deletion(delivery.body(), of_ == Of::kDevices ? "device_id" : "user_id");
  bool done = true;
  if (const auto* malformed = std::get_if<Malformed>(&parsed)) {
    spdlog::warn("bus: message {} on {} is skipped: {}", delivery.sequence(),
                 shown(delivery.subject()), malformed->why);
    malformed_.fetch_add(1);
  } else {
    done = carry_out(std::get<Deletion>(parsed), delivery);
  }
  if (!done) return delivery.redeliver_after(limits::kRedeliver);
  delivery.acknowledge();
  received_.fetch_add(1);
}

bool DeletionListener::carry_out(const Deletion& deletion, const Delivery& delivery) {
  const std::string source(delivery.subject().substr(0, delivery.subject().find('.')));
  actors::Meta meta;
  meta.caller = service_->caller_of(source);
  meta.correlation = deletion.correlation;
  meta.command = command_of(deletion, delivery);
  meta.repeatable = true;
  if (of_ == Of::kUsers) return delete_user(deletion.id, std::move(meta));
  return delete_device({deletion.id}, source, delivery, std::move(meta));
}

bool DeletionListener::delete_device(const domain::DeviceId& device, const std::string& source, const Delivery& delivery,
                                     actors::Meta meta) {
  const auto since = known_since(service_->log(), device);
  if (!since) return true;
  if (delivery.stored_at() < *since) {
    spdlog::info("bus: {} was deleted before it was registered here; the message is skipped",
                 shown(device.value));
    return true;
  }
  const auto answer =
      service_->device(device, domain::DeleteDevice{"deleted by " + source}, std::move(meta));
  if (answer || answer.error().code == domain::ErrorCode::kNotFound) return true;
  spdlog::warn("bus: device {} could not be deleted yet: {}", shown(device.value),
               answer.error().message);
  return false;
}

// Their name is not written anywhere any more, not into our own words either.
bool DeletionListener::delete_user(const std::string& user, actors::Meta meta) {
  const auto answer = service_->delete_user(user, std::move(meta));
  if (answer) return true;
  spdlog::warn("bus: a user could not be deleted yet: {}", answer.error().message);
  return false;
}

}  // namespace ota::gateways::nats
