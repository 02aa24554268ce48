// Who has read the audit is in the audit: pages, exports, stories, streams and proofs.
//
// Only where it is switched on (audit.record_reads): a caller whom nobody has authenticated is anybody. The event comes first:
// what could not be written down is not shown.
#pragma once

#include "http/api.hpp"

namespace ota::http {

// The handler of a route whose reading is written down.
RouteHandler recorded(Api& api, RouteHandler handler);

}  // namespace ota::http
