#include "tools/otasim/mqtt/mqtt_report_path.hpp"

#include <fmt/format.h>

#include <utility>

namespace ota::sim {
namespace {

AnswerClass meaning_of(const MqttReply& reply) {
  if (reply.ok) return AnswerClass::kOk;
  if (reply.error == "not_found") return AnswerClass::kGone;
  return reply.error == "quota" ? AnswerClass::kLater : AnswerClass::kRejected;
}

}  // namespace

MqttReportPath::MqttReportPath(MqttTalk& talk, AttemptName name)
    : talk_(talk), name_(std::move(name)) {}

std::string MqttReportPath::encode(const Feedback& feedback) const {
  return report_text(name_, feedback);
}

void MqttReportPath::send(const std::string& encoded, OnAnswer on_answer) {
  said_ = talk_.say(encoded, [then = std::move(on_answer)](const MqttReply& reply,
                                                           std::chrono::microseconds elapsed) {
    ReportAnswer answer;
    answer.meaning = meaning_of(reply);
    answer.refused = !reply.ok;
    answer.status = reply.ok ? 200 : 0;
    if (!reply.ok) answer.error = fmt::format("{}: {}", reply.error, reply.message);
    answer.elapsed = elapsed;
    then(answer);
  });
}

}  // namespace ota::sim
