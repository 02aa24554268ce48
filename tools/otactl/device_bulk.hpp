// The commands for many devices at once, and what they have in common with those for one.
#pragma once

#include <CLI/CLI.hpp>

namespace ota::ctl {

class BodyOptions;
struct Session;

// What an update outside of any campaign may be asked for with.
void add_direct_update_options(BodyOptions& options);

void add_device_bulk_commands(CLI::App& device, Session& session);

}  // namespace ota::ctl
