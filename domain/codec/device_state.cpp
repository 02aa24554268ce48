// A device as a snapshot, and decoded a million times.
#include "domain/codec/state_codec.hpp"
#include "domain/codec/state_frame.hpp"
#include "domain/codec/states.pb.h"

namespace ota::domain {
namespace {

namespace pb = ota::states;

using codec::array_of;
using codec::bytes_of;
using codec::frame;
using codec::get;
using codec::micros;
using codec::number;
using codec::optional_time;
using codec::put;
using codec::put_list;
using codec::time_of;
using codec::unframe;

void put(const UpdateId& id, const UnfinishedUpdate& u, pb::UnfinishedUpdate* m) {
  m->set_id(to_binary(id));
  m->set_status(number(u.status));
  put(u.plan, m->mutable_plan());
  m->set_attempt(u.attempt);
  m->set_retry_count(u.retry_count);
  if (u.next_retry_at) m->set_next_retry_at(micros(*u.next_retry_at));
  m->set_batch(u.batch);
  m->set_retry(u.retry);
  m->set_action(u.action.value);
  m->set_started(u.started);
  m->set_cancelling(u.cancelling);
  m->set_requested_at(micros(u.requested_at));
  m->set_consent_asked(u.consent_asked);
  m->set_consented(u.consented);
  m->set_released(u.released);
  m->set_awaits_version(u.awaits_version);
  m->set_may_hold(u.may_hold);
}
UnfinishedUpdate get(const pb::UnfinishedUpdate& m) {
  UnfinishedUpdate u;
  u.status = static_cast<UpdateStatus>(m.status());
  u.plan = get(m.plan());
  u.attempt = m.attempt();
  u.retry_count = m.retry_count();
  u.next_retry_at = optional_time(m.has_next_retry_at(), m.next_retry_at());
  u.batch = m.batch();
  u.retry = m.retry();
  u.action = {m.action()};
  u.started = m.started();
  u.cancelling = m.cancelling();
  u.requested_at = time_of(m.requested_at());
  u.consent_asked = m.consent_asked();
  u.consented = m.consented();
  u.released = m.released();
  u.awaits_version = m.awaits_version();
  u.may_hold = m.may_hold();
  return u;
}

void put(const Installed& i, pb::Installed* m) {
  m->set_update(to_binary(i.update));
  m->set_firmware(bytes_of(i.firmware.bytes));
  m->set_from_version(i.from_version);
  m->set_to_version(i.to_version);
  m->set_at(micros(i.at));
  m->set_batch(i.batch);
  m->set_retry(i.retry);
  if (i.health_until) m->set_health_until(micros(*i.health_until));
  m->set_followed(i.followed);
}
std::optional<Installed> get(const pb::Installed& m) {
  const auto update = update_id_from_binary(m.update());
  if (!update) return std::nullopt;
  return Installed{*update,   {array_of<16>(m.firmware())}, m.from_version(), m.to_version(), time_of(m.at()), m.batch(),
                   m.retry(), optional_time(m.has_health_until(), m.health_until()), m.followed()};
}

void put(const ReturnDue& r, pb::ReturnDue* m) {
  m->set_undoes(to_binary(r.undoes));
  m->set_firmware(bytes_of(r.firmware.bytes));
  m->set_to_version(r.to_version);
  m->set_undone_version(r.undone_version);
  m->set_trigger(number(r.trigger));
  m->set_fact(r.fact);
}
std::optional<ReturnDue> get(const pb::ReturnDue& m) {
  const auto undoes = update_id_from_binary(m.undoes());
  if (!undoes) return std::nullopt;
  return ReturnDue{*undoes, {array_of<16>(m.firmware())}, m.to_version(), m.undone_version(),
                   static_cast<RollbackTrigger>(m.trigger()), m.fact()};
}

}  // namespace

std::string encode_state(const Device& s) {
  // Kept, since its texts then have their memory already: views encode thousands of devices a second.
  thread_local pb::Device m;
  m.Clear();
  m.set_registered(s.registered);
  m.set_deleted(s.deleted);
  m.set_id(s.id.value);
  m.set_ordinal(s.ordinal.value);
  for (const auto& [key, value] : s.attributes) {
    m.add_attributes(key);
    m.add_attributes(value);
  }
  put_list(s.groups, m.mutable_groups());
  for (const auto& [id, update] : s.updates) put(id, update, m.add_updates());
  if (s.last_action) m.set_last_action(s.last_action->value);
  if (s.installed_action) m.set_installed_action(s.installed_action->value);
  if (s.wants_attributes_from) m.set_wants_attributes_from(micros(*s.wants_attributes_from));
  m.set_registered_at(micros(s.registered_at));
  m.set_updated_at(micros(s.updated_at));
  m.set_position(s.position.value);
  m.set_version(s.version);
  m.set_owner(s.owner.token);
  if (s.installed) put(*s.installed, m.mutable_installed());
  if (s.return_due) put(*s.return_due, m.mutable_return_due());
  if (s.auto_confirm) {
    m.mutable_auto_confirm()->set_initiator(s.auto_confirm->initiator);
    m.mutable_auto_confirm()->set_remark(s.auto_confirm->remark);
    m.mutable_auto_confirm()->set_since(micros(s.auto_confirm->since));
  }
  m.set_token_generation(s.token_generation);
  if (s.previous_token_until) m.set_previous_token_until(micros(*s.previous_token_until));
  m.set_push(s.push);
  return frame(m);
}

namespace {

// Mostly the keys are those that are there already: then only values are written over.
void fill(Attributes& attributes, const pb::Device& m) {
  auto known = attributes.begin();
  for (int i = 0; i < m.attributes_size(); i += 2) {
    if (known != attributes.end() && known->first == m.attributes(i)) {
      known->second = m.attributes(i + 1);
      ++known;
      continue;
    }
    attributes.erase(known, attributes.end());
    attributes.emplace_hint(attributes.end(), m.attributes(i), m.attributes(i + 1));
    known = attributes.end();
  }
  attributes.erase(known, attributes.end());
}

// Whatever `s` held is gone afterwards. False: the bytes are damaged.
bool read_device(std::string_view bytes, pb::Device& m, Device& s) {
  if (!unframe(bytes, m) || m.attributes_size() % 2 != 0) return false;
  s.registered = m.registered();
  s.deleted = m.deleted();
  s.id.value = m.id();
  s.ordinal = {m.ordinal()};
  fill(s.attributes, m);
  s.groups.assign(m.groups().begin(), m.groups().end());
  s.updates.clear();
  for (const auto& update : m.updates()) {
    const auto id = update_id_from_binary(update.id());
    if (!id) return false;
    s.updates.emplace(*id, get(update));
  }
  s.last_action.reset();
  if (m.has_last_action()) s.last_action = {m.last_action()};
  s.installed_action.reset();
  if (m.has_installed_action()) s.installed_action = {m.installed_action()};
  s.wants_attributes_from = optional_time(m.has_wants_attributes_from(), m.wants_attributes_from());
  s.registered_at = time_of(m.registered_at());
  s.updated_at = time_of(m.updated_at());
  s.position = {m.position()};
  s.version = m.version();
  s.owner = {m.owner()};
  s.installed = m.has_installed() ? get(m.installed()) : std::nullopt;
  s.return_due = m.has_return_due() ? get(m.return_due()) : std::nullopt;
  s.auto_confirm.reset();
  if (m.has_auto_confirm()) {
    s.auto_confirm = {m.auto_confirm().initiator(), m.auto_confirm().remark(), time_of(m.auto_confirm().since())};
  }
  s.token_generation = m.token_generation();
  s.previous_token_until = optional_time(m.has_previous_token_until(), m.previous_token_until());
  s.push = m.push();
  return true;
}

}  // namespace

std::optional<Device> decode_device_state(std::string_view bytes) {
  pb::Device message;
  Device device;
  if (!read_device(bytes, message, device)) return std::nullopt;
  return device;
}

struct DeviceStates::Reused {
  pb::Device message;
  Device device;
};

DeviceStates::DeviceStates() : reused_(std::make_unique<Reused>()) {}
DeviceStates::~DeviceStates() = default;

const Device* DeviceStates::decode(std::string_view bytes) {
  return read_device(bytes, reused_->message, reused_->device) ? &reused_->device : nullptr;
}

}  // namespace ota::domain
