// Events of the log as lines of text, for files: JSON Lines, or CSV (RFC 4180).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "eventstore/types.hpp"
#include "http/api.hpp"

namespace ota::http {

enum class EventFormat { kJson, kJsonLines, kCsv };   // kJson: pages, no lines
// "json", "jsonl", "csv"; empty: none of them.
std::optional<EventFormat> parse_event_format(std::string_view word);
std::string_view content_type_of(EventFormat format);
std::string_view extension_of(EventFormat format);

// The first line of a file, with its end; may be empty.
std::string_view first_line(EventFormat format);
// An event as a line with its end. CSV: position, time, type, stream, device_id, campaign_id, actor, correlation_id, causation,
// data (as JSON); what is not known is an empty field. Fields are as they are: who opens the file with a spreadsheet should
// read them as text.
std::string line_of(const Api& api, const eventstore::RecordedEvent& event, EventFormat format);

}  // namespace ota::http
