#include "tools/benchmarks/device_plans.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

namespace ota::bench {
namespace {

constexpr std::size_t kPollsInVainMax = 1'000;

std::string feedback_text(std::size_t device, std::uint64_t action, std::string_view execution,
                          std::string_view finished, std::string_view details) {
  return http_text(
      "POST", fmt::format("{}/deploymentBase/{}/feedback", device_path(device), action),
      fmt::format(
          R"({{"status":{{"execution":"{}","details":["{}"],"result":{{"finished":"{}"}}}}}})",
          execution, details, finished));
}

// The action in a poll's answer; 0: none.
std::uint64_t offered_action(std::string_view poll_body) {
  constexpr std::string_view kLink = "/deploymentBase/";
  const auto link = poll_body.find(kLink);
  std::uint64_t action = 0;
  if (link != std::string_view::npos) {
    std::from_chars(poll_body.data() + link + kLink.size(), poll_body.data() + poll_body.size(),
                    action);
  }
  return action;
}

}  // namespace

std::string http_text(std::string_view method, std::string_view path, std::string_view body) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\n", method, path);
  if (!body.empty()) {
    text += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  }
  return text + "\r\n" + std::string(body);
}

std::string device_name(std::size_t device) { return fmt::format("bench-{:06}", device); }
std::string device_path(std::size_t device) {
  return "/DEFAULT/controller/v1/" + device_name(device);
}

// ---- the same for ever ----

std::string_view RepeatPlan::next(std::size_t connection) {
  while (next_.size() <= connection) next_.push_back(next_.size() % requests_.size());
  std::size_t& at = next_[connection];
  const std::string& request = requests_[at];
  at = (at + 1) % requests_.size();
  return request;
}

// ---- the same for each device ----

StepsPlan::StepsPlan(std::size_t first, std::size_t count, std::size_t connections,
                     std::vector<Step> steps)
    : first_(first),
      count_(count),
      steps_(std::move(steps)),
      seats_(connections, Seat{0, steps_.size(), 0, {}}),
      actions_(count) {}

std::string_view StepsPlan::next(std::size_t connection) {
  Seat& seat = seats_[connection];
  if (seat.step == steps_.size()) {
    if (devices_begun_ == count_) return {};
    seat.device = devices_begun_++;
    seat.step = 0;
  }
  seat.request = request_of(seat);
  return seat.request;
}

std::string StepsPlan::request_of(const Seat& seat) const {
  const std::size_t device = first_ + seat.device;
  const std::uint64_t action = actions_[seat.device];
  switch (steps_[seat.step]) {
    case Step::kPoll:
      return http_text("GET", device_path(device));
    case Step::kConfigData:
      return http_text("PUT", device_path(device) + "/configData",
                       R"({"mode":"merge","data":{"device_model":"SF-100",)"
                       R"("hardware_version":"1.0","firmware_version":"1.0.0"}})");
    case Step::kDeployment:
      return http_text("GET", fmt::format("{}/deploymentBase/{}", device_path(device), action));
    case Step::kDownloaded:
      return feedback_text(device, action, "downloaded", "none", "verifying");
    case Step::kClosed:
      return feedback_text(device, action, "closed", "success", "installed");
  }
  return {};
}

bool StepsPlan::wants_offer(const Seat& seat) const {
  return seat.step + 1 < steps_.size() && steps_[seat.step + 1] == Step::kDeployment;
}

void StepsPlan::answered(std::size_t connection, std::string_view body) {
  Seat& seat = seats_[connection];
  if (wants_offer(seat)) {
    actions_[seat.device] = offered_action(body);
    if (actions_[seat.device] == 0) {
      if (++seat.polls_in_vain < kPollsInVainMax) return;
      throw std::runtime_error(
          fmt::format("{} is offered nothing: {}", device_name(first_ + seat.device), body));
    }
    seat.polls_in_vain = 0;
  }
  ++seat.step;
}

// ---- reports ----

namespace {

std::vector<ReportsPlan::Reporting> from_the_first_on(const std::vector<std::uint64_t>& actions) {
  std::vector<ReportsPlan::Reporting> reporting;
  for (const std::uint64_t action : actions) reporting.push_back({reporting.size(), action});
  return reporting;
}

}  // namespace

ReportsPlan::ReportsPlan(const std::vector<std::uint64_t>& actions, std::size_t connections)
    : ReportsPlan(from_the_first_on(actions), connections) {}

ReportsPlan::ReportsPlan(std::vector<Reporting> reporting, std::size_t connections, std::uint64_t reports_max)
    : reporting_(std::move(reporting)), seats_(connections), reports_max_(reports_max) {
  for (std::size_t i = 0; i < connections; ++i) seats_[i].next = i % reporting_.size();
}

std::string_view ReportsPlan::next(std::size_t connection) {
  if (reports_ == reports_max_) return {};
  Seat& seat = seats_[connection];
  const Reporting& who = reporting_[seat.next];
  seat.request = feedback_text(who.device, who.action, "proceeding", "none", fmt::format("block {} written", ++reports_));
  // Connections stay on devices of their own.
  seat.next += seats_.size();
  if (seat.next >= reporting_.size()) seat.next = connection % reporting_.size();
  return seat.request;
}

}  // namespace ota::bench
