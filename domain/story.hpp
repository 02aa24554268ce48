// What an event says, as a sentence for people who know neither tags nor types.
//
// "ada paused the campaign: lunch", "Attempt 2 failed: checksum_mismatch (the image is damaged); the next may begin at ...".
// One sentence an event, without its time, which whoever tells the story puts before it.
#pragma once

#include <string>

#include "domain/streams.hpp"

namespace ota::domain {

// `actor`: who caused it, for people; empty: nobody did, it was due, a device said it, or an operator did not say who they are.
std::string tell(const Recorded& event, const std::string& actor);

}  // namespace ota::domain
