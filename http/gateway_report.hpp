// What a gateway says on behalf of a device: the body of POST /updates/{id}/status (spec/api.md section 5). Pure.
#pragma once

#include "domain/update/update.hpp"
#include "http/json_reader.hpp"

namespace ota::http {

// The report, in the words of the domain. `update` is one that was granted; every bad field is an error of the reader.
// - The phase is current_phase, where status is in_progress or absent; else the status itself. They may not differ.
// - progress_percentage is of the whole update; it tells the phase too, where no word does.
// - A report is of the attempt that it names, else of the present one (decision 26).
domain::Report read_gateway_report(const domain::DeviceUpdate& update, JsonReader& body);

// The attempt that the body names, else the present one; an error if there was none of that number.
std::uint32_t read_attempt(const domain::DeviceUpdate& update, JsonReader& body);

}  // namespace ota::http
