// Who has read the audit is in the audit: pages, exports, stories, comparisons, streams, and proofs of an event.
//
// Only where it is switched on (audit.record_reads): a caller whom nobody has authenticated is anybody. The event comes first:
// what could not be written down is not shown. What the log shows of itself alone - checkpoints, keys, whether it is sound - is
// no reading of the audit. Of the query, and of where a stream goes on, the event has what says which events were asked for; a
// person who was asked for is a token in it, as everywhere in the log, and what is no id or number is "?": it may be a name.
#pragma once

#include "http/api.hpp"

namespace ota::http {

// The handler of a route whose reading is written down.
RouteHandler recorded(Api& api, RouteHandler handler);

}  // namespace ota::http
