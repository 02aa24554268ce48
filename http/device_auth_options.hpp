// What an operator says of who may act for a device (device_auth.hpp).
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace ota::http {

struct DeviceAuthOptions {
  bool target_token = true;
  std::vector<std::string> gateway_tokens = {};   // each acts for every device; several while one is replaced
  bool anonymous = false;                         // whoever shows nothing is believed
  bool plug_and_play = true;                      // an id that is not known is registered at its first poll
  // Header in which a trusted proxy puts the certificate's common name. Empty: none is believed. Most proxies hand on what
  // they do not know, so that whoever is asked for no certificate there could be any device.
  std::string identity_header = {};
  std::string authority_header = "X-Authority";     //   and who issued it; also numbered, "X-Authority-1"
  std::vector<std::string> authorities = {};        // one of these has to be among them; empty: the proxy has looked
  bool signed_links = false;                      // links to bytes are good by themselves, for so long:
  std::chrono::seconds link_life = std::chrono::hours(24);
};

}  // namespace ota::http
