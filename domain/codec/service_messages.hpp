// The messages of events of the service: message() fills one, event() reads it back. Inside codec/ only.
#pragma once

#include "domain/codec/convert.hpp"
#include "domain/codec/events.pb.h"

namespace ota::domain::codec {

namespace pb = ota::events;

inline pb::LogKeyAdopted message(const LogKeyAdopted& e) {
  pb::LogKeyAdopted m;
  m.set_origin(e.origin);
  m.set_key(bytes_of(e.key));
  m.set_change(number(e.change));
  if (e.change == LogKeyChange::kRotated) m.set_signature(bytes_of(e.signature));
  return m;
}
inline Event event(const pb::LogKeyAdopted& m) {
  return LogKeyAdopted{m.origin(), array_of<32>(m.key()), static_cast<LogKeyChange>(m.change()), array_of<64>(m.signature())};
}

inline pb::AuditRead message(const AuditRead& e) {
  pb::AuditRead m;
  m.set_what(e.what);
  m.set_of_actor(e.of_actor.token);
  return m;
}
inline Event event(const pb::AuditRead& m) { return AuditRead{m.what(), {m.of_actor()}}; }

}  // namespace ota::domain::codec
