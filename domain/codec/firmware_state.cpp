// Firmware as a snapshot.
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
using codec::put;
using codec::time_of;
using codec::unframe;

}  // namespace

std::string encode_state(const Firmware& s) {
  pb::Firmware m;
  m.set_exists(s.exists);
  put(s.record, m.mutable_record());
  m.set_content_here(s.content_here);
  m.set_content_error(s.content_error);
  m.set_sha1(bytes_of(s.sha1));
  m.set_status(number(s.status));
  m.set_status_reason(s.status_reason);
  m.set_created_by(s.created_by.token);
  m.set_created_at(micros(s.created_at));
  m.set_updated_at(micros(s.updated_at));
  m.set_revision(s.revision);
  m.set_position(s.position.value);
  return frame(m);
}

std::optional<Firmware> decode_firmware_state(std::string_view bytes) {
  pb::Firmware m;
  if (!unframe(bytes, m)) return std::nullopt;
  Firmware s;
  s.exists = m.exists();
  s.record = get(m.record());
  s.content_here = m.content_here();
  s.content_error = m.content_error();
  s.sha1 = array_of<20>(m.sha1());
  s.status = static_cast<FirmwareStatus>(m.status());
  s.status_reason = m.status_reason();
  s.created_by = {m.created_by()};
  s.created_at = time_of(m.created_at());
  s.updated_at = time_of(m.updated_at());
  s.revision = m.revision();
  s.position = {m.position()};
  return s;
}

}  // namespace ota::domain
