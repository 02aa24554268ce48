// Between HTTP and the domain: who asks and why (Meta), what may be repeated, and which answer an error becomes.
#pragma once

#include <optional>
#include <string_view>

#include "actors/service.hpp"
#include "http/problem.hpp"
#include "http/request_context.hpp"

namespace ota::http {

// The one place that maps the domain's errors to answers (spec/api.md section 1).
Problem problem_of(const domain::DomainError& error);

// What a mutating request carries besides its body. An Idempotency-Key or X-User-Id that cannot be is
// the problem; an If-Match is compared where the command is decided.
std::variant<actors::Meta, Problem> meta_of(const RequestContext& context, const actors::Service& service,
                                            std::uint16_t status);
// The same for a device's request: nobody's token, a correlation id only if the device sent one.
actors::Meta device_meta(const RequestContext& context);

// The command id of one device in a bulk request under an Idempotency-Key (design 2).
eventstore::CommandId command_for(const domain::Caller& caller, std::string_view key, const domain::DeviceId& device);

// Ties the meta to what was asked, and has the answer that the handler will give remembered with it. If this very request
// was carried out before, it is answered as it was then; if its key was used for another one, with the problem.
struct Before {
  bool answered = false;
  // It was carried out, and the service ended before its answer was kept: to be answered from what is there now.
  std::optional<eventstore::CommandRecord> record;
};
Before look_back(RequestContext& context, const actors::Service& service, std::string_view asked, actors::Meta& meta);
// The problem if `record` remembers another request than the one of `meta`.
std::optional<Problem> other_request(const eventstore::CommandRecord& record, const actors::Meta& meta);

// The stream of the event at a position: which entity a repeated command had created.
std::optional<domain::Stream> stream_at(const actors::Service& service, eventstore::Position position);

// SHA-256 of the concatenation.
eventstore::Hash hash_of(std::initializer_list<std::string_view> parts);

}  // namespace ota::http
