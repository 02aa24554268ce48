// The account of what every device did, for a test to compare with the server's: one line of JSON a
// device.
//
//   {"device":"sim-00001","client":"rauc","online":true,"version":"2.0.0","attempts":[
//     {"action":"1000012","version":"2.0.0","reads":2,"installs":1,"reports_acked":6,
//      "acked_end":"closed/success","cancel_agreed":false,"power_was_cut":false,"ended":"succeeded"}]}
//
// `reads`: deploymentBase answered 200, over MQTT `accepted` answered go, of which the first starts
// the attempt; 0 for an action that was cancelled before. `acked_end`: the final report that the server has acknowledged.
#pragma once

#include <string>

#include "tools/otasim/device.hpp"

namespace ota::sim {

class Fleet;

// Answers one line, with its end. Pure.
std::string report_line(const DeviceProfile& profile, const std::string& version,
                        const Record& record);

// Writes the account of a fleet. Throws when it cannot.
void write_report(const std::string& path, const Fleet& fleet);

}  // namespace ota::sim
