// What the client of a device says in one attempt of an update: the words of the three clients that otasim plays, over DDI.
//
// Measured: 4,000 devices, half of them imported, half at their first poll, and three campaigns one after the other (staged,
// canary, immediate), 88,183 events. An update is 7.3 events (granted, started, 4.1 reports, 1.05 ends); 3.4 % of the attempts
// fail, each with a retry behind it; 0.5 % of the updates have a late report; an event of an update has 22 bytes of payload. A
// device that is updated says what it is once more when its grace of 15 minutes is over, which none of that run was. Again:
//
//   otad --ddi.anonymous on --ddi.sleep 2s --ddi.sleep_soon 1s --retry.backoff_base 2s --data DATA
//   otactl device import DEVICES.csv
//   otasim --devices 4000 --client mixed --failure-rate 0.05 --power-cut 0.02 --late-reports 0.03 --duplicate-reports 0.05
//          --loss 0.002 --timeout 3 --max-sleep 2
//   otactl campaign create --strategy staged --max-concurrent 500 --batch-size 400 --max-retries 2 --threshold 30 ...
//   otactl log stats DATA
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/update/update.hpp"

namespace ota::bench {

enum class Client : std::uint8_t { kSwupdate, kRauc, kZephyr };

struct AttemptFate {
  std::uint32_t attempt = 1;
  std::string version;                    // that it installs
  bool fails = false;                     // a zephyr device falls silent
  std::optional<std::size_t> cut_after = {};  // power fails behind so many words, and it begins again
  bool late_word = false;                 // one of its reports comes once more, behind the end
  std::uint32_t failure = 0;              // which of those that otasim knows
};

// In the order in which they are said. A retry finds the bytes of the first attempt on its disk.
std::vector<domain::UpdateCommand> words_of(Client client, const AttemptFate& fate);

}  // namespace ota::bench
