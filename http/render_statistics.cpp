// The statistics of all (BR-OTA-041 to 045, decision 30).
#include <map>

#include <nlohmann/json.hpp>

#include "domain/version.hpp"
#include "http/render.hpp"
#include "http/render_parts.hpp"
#include "http/render_past.hpp"

namespace ota::http {
namespace {

using nlohmann::json;
using namespace json_of;

constexpr std::size_t kFirmwarePage = 200;

using NewestVersions = std::map<std::string, std::string>;  // by model

void note_version(NewestVersions& newest, const domain::Firmware& firmware) {
  const auto& facts = firmware.record.facts;
  auto& version = newest[facts.device_model];
  if (version.empty() || domain::compare_versions(facts.version, version) > 0) version = facts.version;
}

template <class Visit>
void each_firmware(const projections::Views& views, const projections::FirmwareFilter& filter, const Visit& visit) {
  projections::PageRequest page{kFirmwarePage, 0, ""};
  do {
    const auto rows = views.firmware_list(filter, page);
    for (const auto& row : rows.rows) visit(row.firmware);
    page.cursor = rows.next_cursor;
  } while (!page.cursor.empty());
}

// Of the newest available firmware of each model that is no beta.
NewestVersions newest_versions(const projections::Views& views) {
  NewestVersions newest;
  projections::FirmwareFilter filter;
  filter.status = domain::FirmwareStatus::kAvailable;
  filter.is_beta = false;
  each_firmware(views, filter, [&](const domain::Firmware& firmware) { note_version(newest, firmware); });
  return newest;
}
NewestVersions newest_versions(const projections::Views& views, const projections::Past& past) {
  NewestVersions newest;
  projections::FirmwareFilter lasting;
  lasting.is_beta = false;
  each_firmware(views, lasting, [&](const domain::Firmware& firmware) {
    const auto then = past.firmware(firmware.record.id);
    if (then && then->status == domain::FirmwareStatus::kAvailable) note_version(newest, *then);
  });
  return newest;
}

// The share of devices with a known version that run the newest of their model.
double devices_on_latest(const NewestVersions& newest, const projections::Statistics& s) {
  std::uint64_t known = 0;
  std::uint64_t on_latest = 0;
  for (const auto& [model, versions] : s.devices_by_model_version) {
    const auto latest = newest.find(model);
    for (const auto& [version, count] : versions) {
      known += count;
      if (latest != newest.end() && domain::compare_versions(version, latest->second) == 0) on_latest += count;
    }
  }
  return percent(on_latest, known);
}

// Of a period or of all; `all`: whatever the period.
json shown_statistics(const projections::Statistics& s, const projections::Statistics& all, double on_latest) {
  std::uint64_t campaigns = 0;
  for (const auto& [status, n] : s.campaigns) campaigns += n;
  const auto of = [&](domain::CampaignStatus status) {
    const auto found = s.campaigns.find(status);
    return found == s.campaigns.end() ? std::uint64_t{0} : found->second;
  };
  return json{{"total_campaigns", campaigns},
              {"active_campaigns", of(domain::CampaignStatus::kInProgress) + of(domain::CampaignStatus::kPaused) +
                                       of(domain::CampaignStatus::kRollback)},
              {"completed_campaigns", of(domain::CampaignStatus::kCompleted)},
              {"failed_campaigns", of(domain::CampaignStatus::kFailed)},
              {"total_updates", s.total_updates},
              {"pending_updates", s.pending_updates()},
              {"in_progress_updates", s.in_progress_updates},
              {"completed_updates", s.completed_updates},
              {"failed_updates", s.failed_updates},
              {"cancelled_updates", s.cancelled_updates},
              {"success_rate", success_rate(s.completed_updates, s.failed_updates)},
              {"avg_update_time", minutes(s.update_us_total, s.completed_updates)},
              {"total_data_transferred", s.data_transferred},
              {"updates_by_device_type", s.by_device_type},
              {"updates_by_firmware_version", s.by_firmware_version},
              {"rollbacks", s.rollbacks},
              {"rollback_rate", percent(s.rollbacks, s.started_campaigns)},
              {"total_devices", all.devices},
              {"devices_on_latest_firmware", on_latest}};
}

}  // namespace

double success_rate(std::uint64_t completed, std::uint64_t failed) { return percent(completed, completed + failed); }

json Renderer::statistics(std::optional<domain::Time> from, std::optional<domain::Time> until) const {
  const auto& views = service_.views();
  const auto all = views.statistics();
  const bool is_period = from || until;
  const auto s =
      is_period ? views.statistics_between(from.value_or(domain::Time{}), until.value_or(domain::Time::max())) : all;
  const auto day = views.statistics_between(service_.now() - std::chrono::hours(24), domain::Time::max());
  auto shown = shown_statistics(s, all, devices_on_latest(newest_versions(views), all));
  shown["last_24h_updates"] = day.total_updates;
  shown["last_24h_failures"] = day.failed_updates;
  shown["last_24h_data_transferred"] = day.data_transferred;
  if (is_period) {
    shown["from"] = when(from);
    shown["to"] = when(until);
  }
  return shown;
}

json Renderer::past_statistics(const projections::Past& past) const {
  const auto s = past.statistics();
  auto shown = shown_statistics(s, s, devices_on_latest(newest_versions(service_.views(), past), s));
  for (const auto* name : {"last_24h_updates", "last_24h_failures", "last_24h_data_transferred"}) shown[name] = nullptr;
  shown["as_of"] = moment(past);
  return shown;
}

}  // namespace ota::http
