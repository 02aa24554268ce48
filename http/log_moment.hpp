// Where in the log a question begins or ends: a position, or a time.
#pragma once

#include <optional>
#include <string_view>

#include "http/api.hpp"
#include "http/query_reader.hpp"
#include "http/request_context.hpp"

namespace ota::http {

// Before a time that one of these parameters names is looked up: a group of events bears the time when its writing began and is in
// the log when it ends, so that the same question would have another answer a moment later. Waits until what was begun is in the
// log. Answers the end of what is settled by that: no event that is still to come bears an earlier time. Empty: the log did not
// move meanwhile, and the request is answered with 503.
std::optional<domain::Time> settle_for_times(RequestContext& context, const Api& api, const QueryReader& query,
                                             std::initializer_list<std::string_view> names);

// A position that has been seen. Who has seen more than the log holds has seen another log: going on with it in silence would
// hide that.
bool is_in_log(const FieldPlace& place, std::uint64_t position, eventstore::Position head);
// `after`, a position of the log; 0 if there is none. What is wrong with it is the query's error.
eventstore::Position read_after(QueryReader& query, eventstore::Position head);

}  // namespace ota::http
