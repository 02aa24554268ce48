// Reports over MQTT: each is said until the service has answered it.
#pragma once

#include <string>

#include "tools/otasim/mqtt/mqtt_talk.hpp"
#include "tools/otasim/report_path.hpp"

namespace ota::sim {

class MqttReportPath : public ReportPath {
 public:
  MqttReportPath(MqttTalk& talk, AttemptName name);

  std::string encode(const Feedback& feedback) const override;
  void send(const std::string& encoded, OnAnswer on_answer) override;

 private:
  MqttTalk& talk_;
  const AttemptName name_;
  SaidTicket said_;
};

}  // namespace ota::sim
