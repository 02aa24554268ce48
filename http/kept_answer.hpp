// What was answered to a request with an Idempotency-Key, as the log keeps it for a day, to be answered once more.
//
// No name of a person is in the log: where the answer says one, its token is kept, and the name is looked up when it is
// answered again.
#pragma once

#include <httplib.h>

#include <string>
#include <string_view>

#include "actors/service.hpp"
#include "http/request_context.hpp"

namespace ota::http {

// The bytes that are kept of the answer to the request with this hash.
std::string to_keep(const actors::Service& service, const eventstore::Hash& request, const httplib::Response& response);

// Answers as it was answered then, or that the key was used for something else. False: what was kept is damaged.
bool answer_as_kept(RequestContext& context, const actors::Service& service, std::string_view kept, const eventstore::Hash& request);

// The key that names a request was used for another one.
Problem key_reused();

}  // namespace ota::http
