// The bytes of an action: which firmware a device may download, and what is remembered of downloads that fail.
//
// Answers have no body but the artifact's: clients install whatever they get.
#pragma once

#include <optional>

#include "http/api.hpp"

namespace ota::http::ddi {

// The firmware behind the module of the path, if an action of this device that is neither over nor cancelled is about
// it, or the last one that succeeded (spec/ddi.md section 5).
std::optional<domain::Firmware> module_of(RequestContext& context, Api& api);
// GET of an artifact of that module, or of its MD5SUM.
void download(RequestContext& context, Api& api);
// A request was refused at the door: if it was a device's download, what the device says of it is no fault of its own.
void note_refused(const RequestContext& context, Api& api);

}  // namespace ota::http::ddi
