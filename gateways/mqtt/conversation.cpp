#include "gateways/mqtt/conversation.hpp"

#include <fmt/format.h>

#include <utility>

#include "domain/failure.hpp"

namespace ota::gateways::mqtt {
namespace {

using domain::DomainError;
using domain::ErrorCode;

bool is_over_soon(const DomainError& error) { return error.code == ErrorCode::kBusy || error.code == ErrorCode::kUnavailable; }

// Why an attempt may not begin, or not any more; empty: it may.
std::string why_not(const domain::DeviceUpdate& update, std::uint32_t attempt, const projections::PollRecord& record) {
  if (update.cancel || update.status == domain::UpdateStatus::kCancelled) return "the update is cancelled";
  if (attempt > update.attempt) {
    return update.consent_asked == attempt ? fmt::format("attempt {} waits for consent", attempt)
                                           : fmt::format("there is no attempt {} yet", attempt);
  }
  if (attempt < update.attempt) return fmt::format("attempt {} is over: {} is the present one", attempt, update.attempt);
  if (!update.in_progress()) {
    return fmt::format("attempt {} is over: the update is {}", attempt, domain::to_text(update.status));
  }
  if (record.active == update.action && record.awaits_version) return "it is installed, and its version is to be seen";
  return {};
}

}  // namespace

struct Conversation::Talk {
  const domain::DeviceId& device;
  const std::string& id;                  // of the message
  actors::Meta meta;
  projections::PollRecord record;         // as it was before the message
};

namespace {

Outcome ok(const std::string& id) {
  Outcome outcome;
  if (!id.empty()) outcome.reply = make_ok(id);
  return outcome;
}

Outcome refused(const std::string& id, const DomainError& error) {
  Outcome outcome;
  outcome.later = is_over_soon(error);
  if (outcome.later) return outcome;
  std::vector<Fault> faults;
  if (!error.field.empty()) faults.push_back({error.field, error.message});
  outcome.reply = make_error(id, kind_word(error.code), error.message, faults);
  return outcome;
}

}  // namespace

Outcome Conversation::carry_out(const domain::DeviceId& device, const Heard& heard) {
  if (service_.views().is_unfit()) return refused(heard.id, {ErrorCode::kUnavailable, "the views are broken", {}, {}, {}, {}});
  const auto known = service_.views().polls().find(device.value);
  Talk talk{device, heard.id, {}, known.value_or(projections::PollRecord{})};
  talk.meta.correlation = heard.id;
  if (known && !known->deleted && hooks_.on_seen) hooks_.on_seen(known->ordinal);
  if (!heard.message) {
    Outcome outcome;
    outcome.reply = make_malformed(heard);
    return outcome;
  }
  const bool is_hello = std::holds_alternative<Hello>(*heard.message);
  if (known && known->deleted) {
    auto outcome = refused(heard.id, domain::not_found("Device", device.value));
    // Should the service have ended before it could: what stood on its topic goes.
    outcome.then = Outcome::Then::kTellAnew;
    return outcome;
  }
  if (!is_hello && !known) {
    auto error = domain::not_found("Device", device.value);
    error.message += ": it has to say hello first";
    return refused(heard.id, error);
  }
  return std::visit([&](const auto& message) { return on(talk, message); }, *heard.message);
}

// ---- who it is -------------------------------------------------------------------------------------------------------

// A stranger is registered where that is wanted, with what it says; a deleted one stays deleted (decision 22), also if that was
// a moment ago.
std::optional<DomainError> Conversation::make_known(const Talk& talk, const Hello& hello) {
  const auto known = service_.views().polls().find(talk.device.value);
  if (known && known->deleted) return domain::not_found("Device", talk.device.value);
  if (!known) {
    if (!plug_and_play_) return domain::not_found("Device", talk.device.value);
    domain::RegisterDevice registration;
    registration.via = domain::RegisteredVia::kMqtt;
    if (hello.attributes) registration.said = hello.attributes->values;
    const auto answer = service_.device(talk.device, std::move(registration), talk.meta);
    if (!answer) return answer.error();
  }
  if (known && known->push) return std::nullopt;
  // Of one that was a stranger there is nothing left to write, unless somebody else has registered it meanwhile.
  const auto answer = service_.device(talk.device, domain::SetPush{true}, talk.meta);
  return answer ? std::nullopt : std::optional(answer.error());
}

std::optional<DomainError> Conversation::change(const Talk& talk, domain::ChangeAttributes change) {
  const auto answer = service_.device(talk.device, std::move(change), talk.meta);
  return answer ? std::nullopt : std::optional(answer.error());
}

Outcome Conversation::on(const Talk& talk, const Hello& hello) {
  if (const auto failure = make_known(talk, hello)) return refused(talk.id, *failure);
  if (hello.attributes) {
    if (const auto failure = change(talk, *hello.attributes)) return refused(talk.id, *failure);
  }
  const auto record = service_.poll(talk.device, talk.meta);
  if (!record) return refused(talk.id, record.error());
  if (hooks_.on_seen) hooks_.on_seen(record.value().ordinal);
  auto outcome = ok(talk.id);
  outcome.then = Outcome::Then::kTellAnew;
  return outcome;
}

Outcome Conversation::on(const Talk& talk, const AttributesSaid& said) {
  const auto failure = change(talk, said.change);
  return failure ? refused(talk.id, *failure) : ok(talk.id);
}

Outcome Conversation::on(const Talk& talk, const HealthSaid& said) {
  domain::ChangeAttributes health;
  health.by_device = true;
  health.values["health"] = said.health;
  const auto failure = change(talk, std::move(health));
  return failure ? refused(talk.id, *failure) : ok(talk.id);
}

Outcome Conversation::on(const Talk& talk, const Bye&) {
  auto outcome = ok(talk.id);
  outcome.then = Outcome::Then::kGone;
  return outcome;
}

// ---- its updates -----------------------------------------------------------------------------------------------------

domain::Result<domain::DeviceUpdate> Conversation::update_of(const Talk& talk, const domain::UpdateId& id) const {
  auto update = service_.views().update(id);
  if (!update || update->device != talk.device) {
    auto error = domain::not_found("Update", domain::to_text(id));
    error.message += fmt::format(", of device {}", talk.device.value);
    return error;
  }
  return std::move(*update);
}

// The beginning is durable before the device is told to go; what came in between (a lapse, a cancellation) is seen behind it.
Go Conversation::start(const Talk& talk, const Accepted& accepted, std::optional<DomainError>& failure) {
  auto update = update_of(talk, accepted.update);
  if (!update) return {false, update.error().message, {}};
  auto why = why_not(update.value(), accepted.attempt, talk.record);
  if (!why.empty()) return {false, why, {}};
  const auto firmware = service_.views().firmware(update.value().plan.firmware);
  if (!firmware) return {false, "its firmware is not known any more", {}};
  const bool here = firmware->firmware.content_here;
  const auto answer = service_.update(accepted.update, domain::StartAttempt{accepted.attempt, here}, talk.meta);
  if (!answer) {
    failure = answer.error();
    return {false, answer.error().message, {}};
  }
  update = update_of(talk, accepted.update);
  if (!update) return {false, update.error().message, {}};
  why = why_not(update.value(), accepted.attempt, talk.record);
  if (!why.empty()) return {false, why, {}};
  return {true, {}, hooks_.url_of(talk.device, firmware->firmware)};
}

Outcome Conversation::on(const Talk& talk, const Accepted& accepted) {
  std::optional<DomainError> failure;
  const auto go = start(talk, accepted, failure);
  if (failure && is_over_soon(*failure)) return refused(talk.id, *failure);
  Outcome outcome;
  outcome.reply = make_go(talk.id, accepted, go);
  if (!go.go) outcome.then = Outcome::Then::kTellAnew;
  return outcome;
}

Outcome Conversation::on(const Talk& talk, const Reported& reported) {
  const auto update = update_of(talk, reported.update);
  if (!update) return refused(talk.id, update.error());
  auto report = reported.report;
  const auto firmware = service_.views().firmware(update.value().plan.firmware);
  report.downloads_here = firmware && firmware->firmware.content_here;
  if (!reported.names_kind) domain::name_kind(report, update.value().status, {});
  const auto answer = service_.update(reported.update, std::move(report), talk.meta);
  return answer ? ok(talk.id) : refused(talk.id, answer.error());
}

Outcome Conversation::on(const Talk& talk, const ConsentAnswered& answered) {
  const auto update = update_of(talk, answered.update);
  if (!update) return refused(talk.id, update.error());
  const auto answer = service_.update(answered.update, answered.answer, talk.meta);
  return answer ? ok(talk.id) : refused(talk.id, answer.error());
}

// An answer that is said again is none to refuse: only where nobody ever asked it has no place.
Outcome Conversation::on(const Talk& talk, const CancelAnswered& answered) {
  const auto found = update_of(talk, answered.update);
  if (!found) return refused(talk.id, found.error());
  const auto& update = found.value();
  const bool was_asked = update.cancel || update.cancel_requested_at || update.status == domain::UpdateStatus::kCancelled;
  if (update.attempt == answered.answer.attempt && !was_asked) {
    auto error = domain::wrong_state("update", domain::to_text(update.status), "answer a cancellation", {"cancelling"});
    error.message = "nobody has asked to cancel this attempt";
    return refused(talk.id, error);
  }
  const auto answer = service_.update(answered.update, answered.answer, talk.meta);
  return answer ? ok(talk.id) : refused(talk.id, answer.error());
}

}  // namespace ota::gateways::mqtt
