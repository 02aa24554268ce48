// From a checked record of a firmware to the answer of its registration: what an upload and a URL have in common.
#pragma once

#include "http/api.hpp"

namespace ota::http {

struct Registered {
  actors::Answer answer;
  domain::FirmwareId id;                  // under which it is registered, perhaps with another name
  bool is_new = false;
};
// Registers; if the same bytes are there under another name, brings to that one what the command has of them (decision 1).
// Waits until it is durable.
Registered register_firmware(Api& api, domain::RegisterFirmware command, actors::Meta& meta);

void answer_firmware(RequestContext& context, Api& api, domain::FirmwareId id, int status);
// 201, or 200 for what was there.
void answer_registered(RequestContext& context, Api& api, const Registered& registered, const actors::Meta& meta);
// The request was carried out, and its answer was lost.
void answer_registered_before(RequestContext& context, Api& api, const eventstore::CommandRecord& record);

// POST /firmware with JSON: the bytes are held elsewhere (decision 29).
void register_by_url(RequestContext& context, Api& api);

// Answers for a firmware whose bytes are not here, if they are not: 302 to where they stay; 503 while they are fetched,
// since they will come; 409 if they will not.
bool answer_not_here(RequestContext& context, const Api& api, const domain::Firmware& firmware);

}  // namespace ota::http
