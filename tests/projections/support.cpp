#include "tests/projections/support.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <stdexcept>

#include "eventstore/log.hpp"

namespace ota::projections::testing {

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "ota-views-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary directory");
  path_ = pattern;
}
TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

domain::Bytes16 bytes_16(std::uint8_t first) {
  domain::Bytes16 bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}
domain::CampaignId campaign_id(std::uint8_t n) {
  return {bytes_16(static_cast<std::uint8_t>(0x40 + n))};
}
domain::FirmwareId firmware_id(std::uint8_t n) {
  return {bytes_16(static_cast<std::uint8_t>(0x10 + n))};
}
domain::UpdateId update(std::uint32_t n, std::uint8_t campaign) {
  return domain::UpdateId::in_campaign(campaign_id(campaign), {n});
}
domain::UpdateId direct_id(std::uint8_t n) {
  return domain::UpdateId::direct(bytes_16(static_cast<std::uint8_t>(0x90 + n)));
}
domain::DeviceId device_id(std::uint32_t n) { return {fmt::format("pump-{:03}", n)}; }
domain::Bitmap set_of(std::initializer_list<std::uint32_t> ordinals) {
  domain::Bitmap set;
  for (const auto ordinal : ordinals) set.add(ordinal);
  return set;
}

// ---- the story ----------------------------------------------------------------------------------

const domain::Recorded& Story::tell(const domain::Emitted& emitted, domain::Caller caller) {
  domain::Recorded event{{events_.size() + 1}, now_, emitted.stream, emitted.event, {}, caller};
  if (const auto* device = std::get_if<domain::DeviceId>(&emitted.stream)) event.device = *device;
  for (const auto& tag : domain::tags_of(emitted)) {
    if (emitted.device && tag == domain::stream_name(*emitted.device))
      event.device = emitted.device;
  }
  now_ += seconds(1);
  return events_.emplace_back(std::move(event));
}

void Story::tell(const domain::Events& events) {
  for (const auto& event : events) tell(event);
}

domain::FirmwareRegistered firmware_record(domain::FirmwareId id, const std::string& model,
                                           const std::string& version, std::uint32_t number) {
  domain::FirmwareRegistered record;
  record.id = id;
  record.name = "pump";
  record.manufacturer = "Acme";
  record.facts.version = version;
  record.facts.device_model = model;
  record.facts.number = number;
  record.facts.file_size = kFileBytes;
  record.sha256.fill(static_cast<std::uint8_t>(number));
  return record;
}

domain::CampaignCreated campaign_record(const domain::Bitmap& targets,
                                        const domain::CampaignPolicy& policy) {
  domain::CampaignCreated record;
  record.name = "spring";
  record.firmware = firmware_id(1);
  record.firmware_name = "pump";
  record.facts = firmware_record(firmware_id(1), "SF-100", "2.0.0", 1).facts;
  record.policy = policy;
  record.targets = domain::to_bytes(targets);
  record.picked = static_cast<std::uint32_t>(targets.cardinality());
  record.pick_cutoff = UINT64_MAX;
  return record;
}

void Story::firmware(domain::FirmwareId id, const std::string& model, const std::string& version,
                     std::uint32_t number) {
  tell({id, firmware_record(id, model, version, number), {}});
}

void Story::device(std::uint32_t n, const domain::Attributes& attributes,
                   std::vector<std::string> groups) {
  const auto id = device_id(n);
  tell({id,
        domain::DeviceRegistered{{n}, domain::RegisteredVia::kApi, attributes, std::move(groups)},
        id});
}

void Story::devices(std::uint32_t from, std::uint32_t to) {
  for (auto n = from; n < to; ++n)
    device(n, {{"device_model", "SF-100"}, {"firmware_version", "1.0.0"}});
}

void Story::campaign(domain::CampaignId id, const domain::Bitmap& targets,
                     const domain::CampaignPolicy& policy) {
  tell({id, campaign_record(targets, policy), {}});
}

void Story::grant(const domain::UpdateId& id, std::uint32_t device, std::uint32_t action,
                  std::uint32_t attempt, std::uint32_t batch) {
  domain::AttemptGranted granted{attempt, {action}, batch, attempt > 1, now_ + minutes(15), {}};
  if (id.of_campaign && attempt == 1) {
    granted.plan.emplace();
    granted.plan->firmware = firmware_id(1);
    granted.plan->from_version = "1.0.0";
    granted.plan->to_version = "2.0.0";
    granted.plan->download_size = kFileBytes;
  }
  tell({id, granted, device_id(device)});
}
void Story::begin(const domain::UpdateId& id, std::uint32_t device, std::uint32_t attempt) {
  tell({id, domain::AttemptStarted{attempt, now_ + minutes(60)}, device_id(device)});
}
void Story::progress(const domain::UpdateId& id, std::uint32_t device, domain::UpdateStatus phase,
                     std::uint32_t attempt) {
  domain::ProgressReported report;
  report.attempt = attempt;
  report.phase = phase;
  tell({id, report, device_id(device)});
}
void Story::succeed(const domain::UpdateId& id, std::uint32_t device, std::uint32_t attempt,
                    std::uint32_t batch) {
  domain::AttemptEnded end;
  end.attempt = attempt;
  end.success = true;
  end.batch = batch;
  end.retry = attempt > 1;
  tell({id, end, device_id(device)});
}
void Story::fail(const domain::UpdateId& id, std::uint32_t device, const std::string& code,
                 std::optional<domain::Time> retry_at, std::uint32_t attempt, std::uint32_t batch) {
  domain::AttemptEnded end;
  end.attempt = attempt;
  end.error_code = code;
  end.batch = batch;
  end.retry = attempt > 1;
  end.retry_at = retry_at;
  end.retry_count = retry_at ? attempt : attempt - 1;
  tell({id, end, device_id(device)});
}

// ---- views --------------------------------------------------------------------------------------

DecodedGroup group_of(const std::vector<domain::Recorded>& events, std::size_t from,
                      std::size_t to) {
  DecodedGroup group;
  group.events.assign(events.begin() + static_cast<std::ptrdiff_t>(from),
                      events.begin() + static_cast<std::ptrdiff_t>(to));
  return group;
}

Views& ReadStory::read() {
  return read_in_groups(std::max<std::size_t>(story.events().size() - views_->position().value, 1));
}

Views& ReadStory::read_in_groups(std::size_t size) {
  const auto& events = story.events();
  for (auto from = views_->position().value; from < events.size();) {
    const auto to = std::min(events.size(), from + size);
    views_->apply(group_of(events, from, to));
    REQUIRE(views_->position().value == to);
    from = to;
  }
  CHECK(views_->broken() == "");
  return *views_;
}

void ReadStory::restart() {
  views_->flush();
  views_.reset();
  open();
}

// Only of views that are closed: open ones delete files as they please.
void ReadStory::restart_and_copy_to(const std::filesystem::path& copy) {
  views_.reset();
  std::filesystem::copy(directory_.path(), copy, std::filesystem::copy_options::recursive);
  open();
}

void ReadStory::open() { views_ = Views::open(directory_.path(), settings_); }

std::string digest_of_rebuilt(const std::vector<domain::Recorded>& events,
                              const domain::Settings& settings, std::size_t group_size) {
  const TempDir directory;
  const auto views = Views::open(directory.path(), settings);
  for (std::size_t from = 0; from < events.size(); from += group_size) {
    views->apply(group_of(events, from, std::min(events.size(), from + group_size)));
  }
  return views->digest();
}

}  // namespace ota::projections::testing
