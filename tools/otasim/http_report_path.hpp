// Reports over HTTP: each a POST, whose answer may be lost.
#pragma once

#include <string>

#include "tools/otasim/device_profile.hpp"
#include "tools/otasim/report_path.hpp"
#include "tools/otasim/world.hpp"

namespace ota::sim {

class HttpReportPath : public ReportPath {
 public:
  // `url` is the feedback address of the action.
  HttpReportPath(World& world, const DeviceProfile& profile, std::string url);

  std::string encode(const Feedback& feedback) const override;
  void send(const std::string& encoded, OnAnswer on_answer) override;

 private:
  World& world_;
  const DeviceProfile& profile_;
  const std::string url_;
  HttpTicket request_;
};

}  // namespace ota::sim
