// Fetches one artifact of a deployment and verifies it. Part of a device's RAM.
//
// The body is hashed while it streams. A broken connection is resumed with a Range from the byte
// after the last one received; after a power cut, from what the flash holds. 5xx, 429 and broken
// connections are tried again with back-off until kFruitlessTriesMax tries in a row brought no
// byte; any other status is final.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tools/otasim/ddi_messages.hpp"
#include "tools/otasim/device_profile.hpp"
#include "tools/otasim/flash.hpp"
#include "tools/otasim/world.hpp"

namespace ota::sim {

// Where the power will be cut, and what will have been written to the flash by then.
struct DownloadCut {
  std::int64_t at_byte = 0;
  std::int64_t persisted = 0;
};

class Download {
 public:
  enum class End {
    kVerified,
    kWrongBytes,
    kRefused,
    kPowerCut,
    kBrokenOff,  // the client leaves the rest to its next poll
  };
  // Ends the download with a reason for people; may destroy it.
  using OnEnd = std::function<void(End, const std::string&)>;

  Download(World& world, const DeviceProfile& profile, std::string action, const Artifact& artifact,
           std::optional<DownloadCut> cut, Flash& flash, OnEnd on_end);

  void start();

 private:
  void ask_size();
  void fetch();
  Taken take(const HttpHead& head, std::string_view bytes);
  void take_until_cut(std::string_view bytes);
  void ended(const HttpAnswer& answer);
  std::string wrong_answer(const HttpAnswer& answer) const;
  void retry(const HttpAnswer& answer);
  void verify();
  void end(End how, const std::string& why);

  World& world_;
  const DeviceProfile& profile_;
  const std::string action_;
  const Artifact artifact_;
  const std::string url_;
  const std::optional<DownloadCut> cut_;
  Flash& flash_;
  OnEnd on_end_;

  StreamingDigest digest_;
  std::int64_t resumed_from_ = 0;
  bool power_lost_ = false;
  bool too_long_ = false;
  unsigned fruitless_tries_ = 0;
  HttpTicket request_;
  TimerTicket retry_;
};

}  // namespace ota::sim
