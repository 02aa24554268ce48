// The messages of events of firmware: message() fills one, event() reads it back. Inside codec/ only.
#pragma once

#include "domain/codec/convert.hpp"
#include "domain/codec/events.pb.h"

namespace ota::domain::codec {

namespace pb = ota::events;

inline pb::FirmwareRegistered message(const FirmwareRegistered& e) {
  pb::FirmwareRegistered m;
  put(e, &m);
  return m;
}
inline Event event(const pb::FirmwareRegistered& m) { return get(m); }

inline pb::FirmwareContentStored message(const FirmwareContentStored& e) {
  pb::FirmwareContentStored m;
  m.set_sha1(bytes_of(e.sha1));
  if (e.md5 != decltype(e.md5){}) m.set_md5(bytes_of(e.md5));
  return m;
}
inline Event event(const pb::FirmwareContentStored& m) {
  return FirmwareContentStored{array_of<20>(m.sha1()), array_of<16>(m.md5())};
}

inline pb::FirmwareContentFailed message(const FirmwareContentFailed& e) {
  pb::FirmwareContentFailed m;
  m.set_reason(e.reason);
  return m;
}
inline Event event(const pb::FirmwareContentFailed& m) { return FirmwareContentFailed{m.reason()}; }

inline pb::FirmwareSourceChanged message(const FirmwareSourceChanged& e) {
  pb::FirmwareSourceChanged m;
  m.set_file_url(e.file_url);
  m.set_kept_elsewhere(e.kept_elsewhere);
  return m;
}
inline Event event(const pb::FirmwareSourceChanged& m) { return FirmwareSourceChanged{m.file_url(), m.kept_elsewhere()}; }

inline pb::FirmwareDeprecated message(const FirmwareDeprecated& e) {
  pb::FirmwareDeprecated m;
  m.set_reason(e.reason);
  return m;
}
inline Event event(const pb::FirmwareDeprecated& m) { return FirmwareDeprecated{m.reason()}; }

inline pb::FirmwareRestored message(const FirmwareRestored& e) {
  pb::FirmwareRestored m;
  m.set_reason(e.reason);
  return m;
}
inline Event event(const pb::FirmwareRestored& m) { return FirmwareRestored{m.reason()}; }

inline pb::FirmwareRecalled message(const FirmwareRecalled& e) {
  pb::FirmwareRecalled m;
  m.set_reason(e.reason);
  return m;
}
inline Event event(const pb::FirmwareRecalled& m) { return FirmwareRecalled{m.reason()}; }

inline pb::DownloadCompleted message(const DownloadCompleted& e) {
  pb::DownloadCompleted m;
  m.set_firmware(bytes_of(e.firmware.bytes));
  return m;
}
inline Event event(const pb::DownloadCompleted& m) { return DownloadCompleted{{array_of<16>(m.firmware())}}; }

}  // namespace ota::domain::codec
