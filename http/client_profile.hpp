// What the devices' clients do that the protocol does not say (spec/ddi.md section 9), as a table. Pure.
//
// Whoever is not in it is treated with care: it is never told of what it must not install yet.
#pragma once

#include <span>
#include <string_view>

namespace ota::http {

struct ClientProfile {
  std::string_view name;         // as the device's attribute names it
  std::string_view agent;        // its User-Agent begins with that; empty: only the attribute tells
  // Told "update": "skip" while a window is closed it downloads, waits and reads again. Others are not told at all: they
  // know no "skip", or take it for the end.
  bool waits_at_skip = false;
  // It answers "skip" with success at once and has done nothing: a download without installation is none of its.
  bool skip_is_success = false;
  // It installs whatever it is offered: nor has it a download without installation.
  bool knows_no_skip = false;
  // It goes where a 302 for its artifact points, to another server too.
  bool follows_redirects = false;
  // A report on what is over, answered with 410, is sent again for ever.
  bool loops_at_gone = false;
};

std::span<const ClientProfile> client_profiles();

// The profile that the attribute names; else the one that devices of this model have (`by_model`: the name of one, may be
// empty); else that of the User-Agent; else the careful one, without a name.
const ClientProfile& client_profile(std::string_view attribute, std::string_view by_model, std::string_view user_agent);

}  // namespace ota::http
