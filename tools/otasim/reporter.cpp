#include "tools/otasim/reporter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tools/otasim/backoff.hpp"

namespace ota::sim {

Reporter::Reporter(World& world, const DeviceProfile& profile, Attempt& attempt,
                   std::unique_ptr<ReportPath> path)
    : world_(world), profile_(profile), attempt_(attempt), path_(std::move(path)) {}

void Reporter::send(const Feedback& feedback, bool awaited, OnEnd on_end) {
  ++reports_;
  if (!current_.body.empty()) overtaken_.push_back(std::move(current_));
  current_ = {feedback, path_->encode(feedback)};
  awaited_ = awaited;
  tries_ = 0;
  on_end_ = std::move(on_end);
  try_once();
}

void Reporter::try_once() {
  ++tries_;
  ++world_.stats.reports_sent;
  if (tries_ > 1) ++world_.stats.report_retries;
  journal_sent(current_.feedback, tries_, "report");
  path_->send(current_.body, [this](const ReportAnswer& answer) { answered(answer); });
}

void Reporter::journal_sent(const Feedback& feedback, unsigned tries, const char* kind) {
  world_.journal.fact(profile_.id, "report_sent",
                      {{"action", attempt_.action},
                       {"execution", feedback.execution},
                       {"finished", feedback.finished},
                       {"try", std::int64_t{tries}},
                       {"kind", kind}});
}

void Reporter::journal_answer(const ReportAnswer& answer, const Feedback& feedback,
                              const char* kind) {
  if (answer.meaning == AnswerClass::kOk) {
    ++world_.stats.reports_acked;
    ++attempt_.reports_acked;
    if (feedback.execution == "closed" || feedback.finished == "success")
      attempt_.acked_end = feedback.execution + "/" + feedback.finished;
    world_.stats.report_latency.add(answer.elapsed);
    world_.journal.fact(profile_.id, "report_acked",
                        {{"action", attempt_.action},
                         {"execution", feedback.execution},
                         {"finished", feedback.finished},
                         {"detail", feedback.detail},
                         {"status", answer.status},
                         {"kind", kind}});
    return;
  }
  world_.journal.fact(profile_.id, "report_failed",
                      {{"action", attempt_.action},
                       {"execution", feedback.execution},
                       {"finished", feedback.finished},
                       {"status", answer.status},
                       {"error", answer.error},
                       {"kind", kind}});
}

void Reporter::answered(const ReportAnswer& answer) {
  journal_answer(answer, current_.feedback, "report");
  const AnswerClass meaning = answer.meaning;
  if (meaning == AnswerClass::kOk) return repeat_or_end();
  if (meaning == AnswerClass::kLater && awaited_) {
    const double spread = world_.choices.fraction(profile_.id, attempt_.action,
                                                  fmt::format("report-retry-{}", tries_));
    const auto wait = std::max<std::chrono::milliseconds>(
        backoff(tries_, spread),
        std::min<std::chrono::milliseconds>(answer.retry_after, kBackoffMax));
    retry_ = world_.after(wait, [this] { try_once(); });
    return;
  }
  if (meaning == AnswerClass::kRejected)
    world_.violation(
        profile_.id,
        fmt::format("report {}/{} of action {} answered {}: {}", current_.feedback.execution,
                    current_.feedback.finished, attempt_.action, answer.status, answer.error));
  const OnEnd on_end = std::move(on_end_);
  on_end(meaning);
}

void Reporter::repeat_or_end() {
  const auto end = [this] {
    const OnEnd on_end = std::move(on_end_);
    on_end(AnswerClass::kOk);
  };
  if (!world_.choices.happens(world_.options.faults.duplicate_reports, profile_.id, attempt_.action,
                              fmt::format("duplicate-{}", reports_)))
    return end();
  again(current_, "duplicate", world_.stats.duplicates_sent, world_.stats.duplicates_refused, end);
}

void Reporter::send_late(std::uint64_t choice, std::function<void()> on_end) {
  if (overtaken_.empty()) return on_end();
  again(overtaken_[choice % overtaken_.size()], "late", world_.stats.late_sent,
        world_.stats.late_refused, std::move(on_end));
}

void Reporter::again(const Sent& report, const char* kind, std::uint64_t& sent,
                     std::uint64_t& refused, std::function<void()> on_end) {
  ++sent;
  ++world_.stats.reports_sent;
  journal_sent(report.feedback, 1, kind);
  path_->send(report.body, [this, kind, &refused, feedback = report.feedback,
                            end = std::move(on_end)](const ReportAnswer& answer) {
    journal_answer(answer, feedback, kind);
    // A connection that broke says nothing about what the server thinks of it.
    if (answer.refused) ++refused;
    end();
  });
}

}  // namespace ota::sim
