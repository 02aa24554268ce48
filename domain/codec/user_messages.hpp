// The messages of events of users: message() fills one, event() reads it back. Inside codec/ only.
#pragma once

#include "domain/codec/convert.hpp"
#include "domain/codec/events.pb.h"

namespace ota::domain::codec {

namespace pb = ota::events;

inline pb::UserPreferencesChanged message(const UserPreferencesChanged& e) {
  pb::UserPreferencesChanged m;
  m.set_beta_opt_in(e.beta_opt_in);
  if (e.paused_until) m.set_paused_until(micros(*e.paused_until));
  return m;
}
inline Event event(const pb::UserPreferencesChanged& m) {
  UserPreferencesChanged e{m.beta_opt_in(), {}};
  if (m.has_paused_until()) e.paused_until = time_of(m.paused_until());
  return e;
}

inline pb::SubjectErased message(const SubjectErased& e) {
  pb::SubjectErased m;
  m.set_subject(e.subject.token);
  return m;
}
inline Event event(const pb::SubjectErased& m) { return SubjectErased{{m.subject()}}; }

}  // namespace ota::domain::codec
