#include "tools/otasim/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tools/otactl/human.hpp"

namespace ota::sim {
namespace {

constexpr int kLabelWidth = 24;

template <class... Args>
void row(std::string& text, std::string_view label, fmt::format_string<Args...> format,
         Args&&... args) {
  text += fmt::format("  {:<{}}", label, kLabelWidth);
  fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
  text += '\n';
}

double ms(std::chrono::microseconds value) { return static_cast<double>(value.count()) / 1000.0; }

void latency_row(std::string& text, std::string_view label, const LatencyHistogram& values) {
  row(text, label, "p50 {:.1f} ms  p99 {:.1f} ms  max {:.1f} ms  ({})", ms(values.percentile(50)),
      ms(values.percentile(99)), ms(values.max()), values.count());
}

std::uint64_t cuts(const Stats& stats, CutPlace place) {
  return stats.power_cuts[static_cast<std::size_t>(place)];
}

void mqtt_rows(std::string& text, const Summary& summary, const Stats& stats) {
  row(text, "over MQTT", "{} devices, {} connections, {} lost{}{}", summary.over_mqtt,
      stats.mqtt_connections, stats.mqtt_lost, stats.mqtt_last_loss.empty() ? "" : ": ",
      stats.mqtt_last_loss);
  row(text, "  said", "{}, {} of them again, {} hellos refused, {} answers nobody waited for",
      stats.mqtt_said, stats.mqtt_repeated, stats.mqtt_refused, stats.mqtt_replies_unasked);
  row(text, "  told", "{} commands, {} of them not to be begun", stats.mqtt_commands,
      stats.mqtt_no_go);
}

nlohmann::ordered_json latency_json(const LatencyHistogram& values) {
  return {{"count", values.count()},
          {"p50_ms", ms(values.percentile(50))},
          {"p99_ms", ms(values.percentile(99))},
          {"max_ms", ms(values.max())}};
}

}  // namespace

std::vector<std::string> find_problems(const Stats& stats, bool goal_missed) {
  std::vector<std::string> problems;
  if (stats.hash_mismatches > 0)
    problems.push_back(fmt::format("{} downloads had wrong bytes", stats.hash_mismatches));
  if (stats.violations > 0)
    problems.push_back(fmt::format("{} violations of the protocol", stats.violations));
  if (const auto rejected = stats.ended(RunEnd::kRejected); rejected > 0)
    problems.push_back(fmt::format("{} final reports were rejected", rejected));
  if (goal_missed) problems.push_back("ended before every device had the version or had failed");
  return problems;
}

std::string summary_text(const Summary& summary, const Stats& stats) {
  std::string text = "\nSimulated fleet\n";
  const double seconds = std::chrono::duration<double>(summary.wall_time).count();
  row(text, "ended", "{} after {:.1f} s", summary.stopped_by, seconds);
  row(text, "devices", "{} ({} poll)", summary.devices, summary.online);
  for (const auto& [version, count] : summary.devices_by_version)
    row(text, "  run " + version, "{}", count);
  if (summary.busy_at_end > 0) row(text, "  busy at the end", "{}", summary.busy_at_end);

  row(text, "attempts", "{} started, {} installed, {} ends acknowledged", summary.attempts,
      summary.attempts_installed, summary.ends_acked);
  row(text, "updates succeeded", "{}", stats.ended(RunEnd::kSucceeded));
  row(text, "updates failed", "{}", stats.ended(RunEnd::kFailed));
  row(text, "other ends",
      "{} downloaded only, {} cancelled, {} ended by the server, {} rejected, {} skipped, {} "
      "silent",
      stats.ended(RunEnd::kDownloaded), stats.ended(RunEnd::kCancelled), stats.ended(RunEnd::kGone),
      stats.ended(RunEnd::kRejected), stats.ended(RunEnd::kSkipped), stats.ended(RunEnd::kSilent));
  row(text, "cancels", "{} agreed to, {} refused", stats.cancels_agreed, stats.cancels_refused);
  row(text, "installs", "{}", stats.installs);

  row(text, "reports", "{} sent, {} acknowledged, {} retries", stats.reports_sent,
      stats.reports_acked, stats.report_retries);
  row(text, "duplicates", "{} sent, {} not answered 200", stats.duplicates_sent,
      stats.duplicates_refused);
  row(text, "late reports", "{} sent, {} not answered 200", stats.late_sent, stats.late_refused);
  row(text, "power cuts", "{} in download, {} in install, {} after install",
      cuts(stats, CutPlace::kDownload), cuts(stats, CutPlace::kInstall),
      cuts(stats, CutPlace::kAfterInstall));
  row(text, "downloads", "{} requests, {} resumed, {} broken, {}", stats.downloads,
      stats.downloads_resumed, stats.downloads_broken,
      ota::text::human_size(stats.bytes_downloaded));
  row(text, "wrong bytes", "{}", stats.hash_mismatches);

  if (summary.over_mqtt > 0) mqtt_rows(text, summary, stats);
  row(text, "polls", "{}, {} failed", stats.polls, stats.polls_failed);
  row(text, "attributes pushed", "{}", stats.config_pushes);
  row(text, "requests", "{} ({:.0f}/s), {} broken, {} connections opened", summary.requests,
      seconds > 0 ? static_cast<double>(summary.requests) / seconds : 0.0, summary.requests_broken,
      summary.connections);
  if (summary.tls_handshakes > 0)
    row(text, "TLS", "{} handshakes, {} of them resumed", summary.tls_handshakes,
        summary.tls_resumed);
  if (summary.unauthorized > 0) row(text, "not let in (401)", "{}", summary.unauthorized);
  const auto& faults = summary.network_faults;
  if (std::any_of(faults.begin(), faults.end(), [](std::uint64_t count) { return count > 0; }))
    row(text, "bad network", "{} lost, {} stalled, {} reset, {} half-open", faults[0], faults[1],
        faults[2], faults[3]);
  latency_row(text, "poll latency", stats.poll_latency);
  latency_row(text, "report latency", stats.report_latency);
  latency_row(text, "update duration", stats.update_duration);

  for (const std::string& violation : stats.violation_texts)
    text += fmt::format("  violation: {}\n", ota::text::printable(violation));
  if (stats.violations > stats.violation_texts.size())
    text += fmt::format("  ... and {} more\n", stats.violations - stats.violation_texts.size());
  for (const std::string& problem : summary.problems) text += fmt::format("FAILED: {}\n", problem);
  return text;
}

std::string summary_json(const Summary& summary, const Stats& stats) {
  nlohmann::ordered_json root;
  root["stopped_by"] = summary.stopped_by;
  root["ok"] = summary.problems.empty();
  root["problems"] = summary.problems;
  root["wall_ms"] = summary.wall_time.count();
  root["devices"] = summary.devices;
  root["online"] = summary.online;
  root["busy_at_end"] = summary.busy_at_end;
  root["devices_by_version"] = summary.devices_by_version;
  root["offers"] = stats.offers;
  root["attempts"] = {{"started", summary.attempts},
                      {"installed", summary.attempts_installed},
                      {"ends_acked", summary.ends_acked}};
  nlohmann::ordered_json ends;
  for (std::size_t i = 0; i < kRunEnds; ++i)
    ends[std::string{to_text(static_cast<RunEnd>(i))}] = stats.ends[i];
  root["updates"] = std::move(ends);
  root["cancels"] = {{"agreed", stats.cancels_agreed}, {"refused", stats.cancels_refused}};
  root["installs"] = stats.installs;
  root["reports"] = {{"sent", stats.reports_sent},
                     {"acked", stats.reports_acked},
                     {"retries", stats.report_retries},
                     {"duplicates_sent", stats.duplicates_sent},
                     {"duplicates_refused", stats.duplicates_refused},
                     {"late_sent", stats.late_sent},
                     {"late_refused", stats.late_refused}};
  root["power_cuts"] = {{"download", cuts(stats, CutPlace::kDownload)},
                        {"install", cuts(stats, CutPlace::kInstall)},
                        {"after_install", cuts(stats, CutPlace::kAfterInstall)}};
  root["downloads"] = {{"requests", stats.downloads},
                       {"resumed", stats.downloads_resumed},
                       {"broken", stats.downloads_broken},
                       {"bytes", stats.bytes_downloaded},
                       {"hash_mismatches", stats.hash_mismatches}};
  root["polls"] = {{"sent", stats.polls}, {"failed", stats.polls_failed}};
  root["config_pushes"] = stats.config_pushes;
  root["mqtt"] = {{"devices", summary.over_mqtt},
                  {"connections", stats.mqtt_connections},
                  {"lost", stats.mqtt_lost},
                  {"said", stats.mqtt_said},
                  {"repeated", stats.mqtt_repeated},
                  {"refused", stats.mqtt_refused},
                  {"replies_unasked", stats.mqtt_replies_unasked},
                  {"commands", stats.mqtt_commands},
                  {"no_go", stats.mqtt_no_go}};
  root["requests"] = {{"done", summary.requests},
                      {"broken", summary.requests_broken},
                      {"unauthorized", summary.unauthorized},
                      {"tls_handshakes", summary.tls_handshakes},
                      {"tls_resumed", summary.tls_resumed},
                      {"connections", summary.connections}};
  root["network_faults"] = {{"lost", summary.network_faults[0]},
                            {"stalled", summary.network_faults[1]},
                            {"reset", summary.network_faults[2]},
                            {"half_open", summary.network_faults[3]}};
  root["poll_latency"] = latency_json(stats.poll_latency);
  root["report_latency"] = latency_json(stats.report_latency);
  root["update_duration"] = latency_json(stats.update_duration);
  root["violations"] = {{"count", stats.violations}, {"first", stats.violation_texts}};
  return root.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace ota::sim
