#include "tools/otasim/http_report_path.hpp"

#include <utility>

namespace ota::sim {

HttpReportPath::HttpReportPath(World& world, const DeviceProfile& profile, std::string url)
    : world_(world), profile_(profile), url_(std::move(url)) {}

std::string HttpReportPath::encode(const Feedback& feedback) const {
  return feedback_body(feedback, wall_clock());
}

void HttpReportPath::send(const std::string& encoded, OnAnswer on_answer) {
  HttpRequest request;
  request.caller = profile_.caller;
  request.method = Method::kPost;
  request.url = url_;
  request.body = encoded;
  request_ = world_.http.send(
      std::move(request), [this, then = std::move(on_answer)](const HttpAnswer& answer) {
        ReportAnswer result;
        result.meaning = classify(answer, profile_.style());
        result.refused = answer.complete && answer.head.status < 500 && answer.head.status != 200;
        result.status = answer.head.status;
        result.error = answer.complete ? answer.body.substr(0, 200) : answer.error;
        result.elapsed = answer.elapsed;
        result.retry_after = answer.head.retry_after;
        then(result);
      });
}

}  // namespace ota::sim
