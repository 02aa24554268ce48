// The messages of events of devices: message() fills one, event() reads it back. Inside codec/ only.
#pragma once

#include "domain/codec/convert.hpp"
#include "domain/codec/events.pb.h"

namespace ota::domain::codec {

namespace pb = ota::events;

inline pb::DeviceRegistered message(const DeviceRegistered& e) {
  pb::DeviceRegistered m;
  m.set_ordinal(e.ordinal.value);
  m.set_via(number(e.via));
  m.mutable_attributes()->insert(e.attributes.begin(), e.attributes.end());
  put_list(e.groups, m.mutable_groups());
  m.set_owner(e.owner.token);
  return m;
}
inline Event event(const pb::DeviceRegistered& m) {
  return DeviceRegistered{{m.ordinal()}, static_cast<RegisteredVia>(m.via()),
                          {m.attributes().begin(), m.attributes().end()}, get_list(m.groups()), {m.owner()}};
}

inline pb::DeviceAttributesChanged message(const DeviceAttributesChanged& e) {
  pb::DeviceAttributesChanged m;
  m.mutable_set()->insert(e.set.begin(), e.set.end());
  put_list(e.removed, m.mutable_removed());
  m.set_by_device(e.by_device);
  m.set_groups_changed(e.groups_changed);
  put_list(e.groups, m.mutable_groups());
  if (e.owner) m.set_owner(e.owner->token);
  return m;
}
inline Event event(const pb::DeviceAttributesChanged& m) {
  DeviceAttributesChanged e{{m.set().begin(), m.set().end()}, get_list(m.removed()), m.by_device(), m.groups_changed(),
                            get_list(m.groups()), {}};
  if (m.has_owner()) e.owner = Caller{m.owner()};
  return e;
}

inline pb::DeviceDeleted message(const DeviceDeleted& e) {
  pb::DeviceDeleted m;
  m.set_reason(e.reason);
  m.set_ordinal(e.ordinal.value);
  return m;
}
inline Event event(const pb::DeviceDeleted& m) { return DeviceDeleted{m.reason(), {m.ordinal()}}; }

inline pb::DeviceReturned message(const DeviceReturned& e) {
  pb::DeviceReturned m;
  m.set_ordinal(e.ordinal.value);
  m.set_via(number(e.via));
  return m;
}
inline Event event(const pb::DeviceReturned& m) {
  return DeviceReturned{{m.ordinal()}, static_cast<RegisteredVia>(m.via())};
}

inline pb::AutoConfirmChanged message(const AutoConfirmChanged& e) {
  pb::AutoConfirmChanged m;
  m.set_active(e.active);
  m.set_initiator(e.initiator);
  m.set_remark(e.remark);
  return m;
}
inline Event event(const pb::AutoConfirmChanged& m) { return AutoConfirmChanged{m.active(), m.initiator(), m.remark()}; }

inline pb::DeviceTokenRotated message(const DeviceTokenRotated& e) {
  pb::DeviceTokenRotated m;
  m.set_generation(e.generation);
  if (e.previous_until) m.set_previous_until(micros(*e.previous_until));
  return m;
}
inline Event event(const pb::DeviceTokenRotated& m) {
  DeviceTokenRotated e{m.generation(), {}};
  if (m.has_previous_until()) e.previous_until = time_of(m.previous_until());
  return e;
}

inline pb::DevicePushChanged message(const DevicePushChanged& e) {
  pb::DevicePushChanged m;
  m.set_push(e.push);
  return m;
}
inline Event event(const pb::DevicePushChanged& m) { return DevicePushChanged{m.push()}; }

inline pb::IdsReserved message(const IdsReserved& e) {
  pb::IdsReserved m;
  m.set_first(e.first.value);
  put_list(e.devices, m.mutable_devices());
  return m;
}
inline Event event(const pb::IdsReserved& m) { return IdsReserved{{m.first()}, get_list(m.devices())}; }

}  // namespace ota::domain::codec
