// Sends the reports of one action, one at a time. Part of a device's RAM: destroying it stops
// whatever it was sending.
//
// A report that the server waits for (the end; that a download is complete and held) is repeated with
// back-off until it was acknowledged, or is not wanted any more (404, 410).
// Other reports are tried once. A report that was acknowledged is, by choice, sent once more verbatim.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/otasim/answer_class.hpp"
#include "tools/otasim/ddi_messages.hpp"
#include "tools/otasim/device_profile.hpp"
#include "tools/otasim/record.hpp"
#include "tools/otasim/report_path.hpp"
#include "tools/otasim/world.hpp"

namespace ota::sim {

class Reporter {
 public:
  // How the report ended. The callback may destroy the reporter.
  using OnEnd = std::function<void(AnswerClass)>;

  Reporter(World& world, const DeviceProfile& profile, Attempt& attempt,
           std::unique_ptr<ReportPath> path);

  // Sends a report; the former one must have ended.
  void send(const Feedback& feedback, bool awaited, OnEnd on_end);

  // Sends again, once, a progress report that a later one has overtaken: `choice` picks among those
  // before the last. Ends at once when there is none; otherwise its answer is counted, whatever it
  // is.
  void send_late(std::uint64_t choice, std::function<void()> on_end);

 private:
  struct Sent {
    Feedback feedback;
    std::string body;
  };

  void try_once();
  void answered(const ReportAnswer& answer);
  void repeat_or_end();
  void again(const Sent& report, const char* kind, std::uint64_t& sent, std::uint64_t& refused,
             std::function<void()> on_end);
  void journal_sent(const Feedback& feedback, unsigned tries, const char* kind);
  void journal_answer(const ReportAnswer& answer, const Feedback& feedback, const char* kind);

  World& world_;
  const DeviceProfile& profile_;
  Attempt& attempt_;
  const std::unique_ptr<ReportPath> path_;

  unsigned reports_ = 0;  // of this action, so that each has its own choices
  Sent current_;
  std::vector<Sent> overtaken_;
  bool awaited_ = false;
  unsigned tries_ = 0;
  OnEnd on_end_;
  TimerTicket retry_;
};

}  // namespace ota::sim
