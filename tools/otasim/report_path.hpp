// How the reports of one action reach the service: over HTTP, or over MQTT. Part of a device's RAM:
// destroying it stops whatever it was sending.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "tools/otasim/answer_class.hpp"
#include "tools/otasim/ddi_messages.hpp"

namespace ota::sim {

struct ReportAnswer {
  AnswerClass meaning = AnswerClass::kLater;
  bool refused = false;     // answered, and neither taken nor for want of the service
  std::int64_t status = 0;  // of HTTP; over MQTT 200 for what was taken, else 0
  std::string error;        // why there is no answer, or what it says
  std::chrono::microseconds elapsed{0};
  std::chrono::seconds retry_after{0};
};

class ReportPath {
 public:
  using OnAnswer = std::function<void(const ReportAnswer&)>;
  virtual ~ReportPath() = default;

  // Answers what is sent for a report, and sent once more where it is repeated verbatim.
  virtual std::string encode(const Feedback& feedback) const = 0;
  // Sends it; the former one has its answer. `on_answer` may destroy the path.
  virtual void send(const std::string& encoded, OnAnswer on_answer) = 0;
};

}  // namespace ota::sim
