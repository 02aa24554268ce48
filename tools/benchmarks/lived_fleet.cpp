#include "tools/benchmarks/lived_fleet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "actors/limits.hpp"
#include "domain/bitmap.hpp"
#include "domain/codec/state_codec.hpp"
#include "domain/evidence.hpp"
#include "domain/firmware/firmware.hpp"
#include "domain/rollout.hpp"
#include "eventstore/limits.hpp"
#include "projections/decoded.hpp"

namespace ota::bench {
namespace {

using domain::Position;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr domain::Caller kOperator{0xc4188a0006dfdd0c};
constexpr double kFailingPercent = 5;       // of the attempts, as otasim was told
constexpr double kPowerCutPercent = 2;
constexpr double kLatePercent = 0.6;        // of those that can have one
constexpr std::uint32_t kMaxRetries = 2;
constexpr std::uint32_t kConcurrentMax = 1'000;
constexpr std::uint32_t kThresholdPercent = 30;
constexpr std::uint64_t kFileBytes = 65'536;
constexpr std::size_t kLooksAPoll = 512;    // devices that poll in vain before one that is granted
constexpr int kReactionsMax = 100;          // one leads to the next, but not for ever

domain::Attributes attributes_of(const std::string& model, const std::string& version) {
  return {{"device_model", model}, {"hardware_version", "1.0"}, {"firmware_version", version}};
}

std::string version_text(std::uint32_t major) { return fmt::format("{}.0.0", major); }

Client client_of(std::uint32_t device) { return static_cast<Client>(device / 2 % 3); }

template <class Decided>
const domain::Events& expect(const Decided& decided, const char* what) {
  if (!decided.ok()) throw std::runtime_error(fmt::format("{} is refused: {}", what, decided.error().message));
  return decided.value();
}

eventstore::Condition unmoved(const domain::Stream& stream, Position since) {
  return {domain::stream_name(stream), projections::to_store(since)};
}

}  // namespace

LivedFleet::LivedFleet(LogPen& pen, std::uint32_t count, domain::Time begin) : pen_(pen), now_(begin), devices_(count) {
  for (std::size_t i = 0; i < lines_.size(); ++i) lines_[i].model = fmt::format("SF-{}00", i + 1);
  for (std::uint32_t device = 0; device < count; ++device) {
    devices_[device].id = {device_name(device)};
    line_of(device).devices.push_back(device);
  }
  for (Line& line : lines_) std::shuffle(line.devices.begin(), line.devices.end(), random_);
  register_devices();
  for (std::uint32_t i = 0; i < lines_.size(); ++i) {
    add_firmware(lines_[i]);
    begin_campaign(lines_[i]);
    plan(Turn::kPolls, i, {});
  }
}

void LivedFleet::live_until(std::uint64_t events) {
  while (pen_.position().value < events) {
    const Due due = due_.top();
    due_.pop();
    now_ = std::max(now_, due.at);
    pen_.set_time(now_);
    switch (due.turn) {
      case Turn::kPolls: poll(due.who); break;
      case Turn::kSpeaks: speak(due.who); break;
      case Turn::kFallsSilent: fall_silent(due.who); break;
      case Turn::kTriesAgain: try_again(due.who); break;
      case Turn::kSaysWhatItIs: say_what_it_is(due.who); break;
    }
  }
}

std::vector<ReportsPlan::Reporting> LivedFleet::updating() const {
  std::vector<ReportsPlan::Reporting> found;
  for (const auto& [number, doing] : doing_) {
    if (doing.update.in_progress()) found.push_back({number, doing.update.action.value});
  }
  return found;
}

// ---- who is there -------------------------------------------------------------------------------

void LivedFleet::register_devices() {
  const auto half = static_cast<std::uint32_t>(devices_.size() / 2);
  const auto import = by_operator(/*repeatable=*/false);
  for (std::uint32_t first = 0; first < half; first += eventstore::limits::kAppendEvents) {
    domain::Events events;
    std::vector<eventstore::Condition> conditions;
    const auto end = std::min<std::uint32_t>(half, first + eventstore::limits::kAppendEvents);
    for (std::uint32_t device = first; device < end; ++device) {
      const domain::RegisterDevice command{{device}, domain::RegisteredVia::kImport,
                                           attributes_of(line_of(device).model, version_text(1)), {}};
      const auto decided = domain::decide(devices_[device], domain::DeviceCommand(command), context(kOperator));
      events.push_back(expect(decided, "a device of an import").front());
      conditions.push_back(unmoved(devices_[device].id, {}));
    }
    write(events, std::move(conditions), import);
  }
  for (std::uint32_t device = half; device < devices_.size(); ++device) {
    const domain::RegisterDevice command{{device}, domain::RegisteredVia::kPoll, {}, {}};
    const auto decided = domain::decide(devices_[device], domain::DeviceCommand(command), context());
    write(expect(decided, "a first poll"), {unmoved(devices_[device].id, {})}, {});
  }
  for (const Line& line : lines_) {
    for (const std::uint32_t device : line.devices) say_what_it_is(device);
  }
}

void LivedFleet::say_what_it_is(std::uint32_t number) {
  const domain::Device& device = devices_[number];
  domain::ChangeAttributes said;
  said.values = attributes_of(line_of(number).model, device.version.empty() ? version_text(1) : device.version);
  said.by_device = true;
  const auto decided = domain::decide(device, domain::DeviceCommand(std::move(said)), context());
  write(expect(decided, "what a device says of itself"), {unmoved(device.id, device.position)}, {});
}

// ---- campaigns ----------------------------------------------------------------------------------

void LivedFleet::add_firmware(Line& line) {
  domain::RegisterFirmware command;
  auto& record = command.record;
  record.id.bytes = uuid();
  record.name = "Smart Frame";
  record.manufacturer = "Acme";
  record.facts.version = version_text(line.version + 1);
  record.facts.device_model = line.model;
  record.facts.number = ++firmwares_;
  record.facts.file_size = kFileBytes;
  record.file_name = fmt::format("frame-{}.bin", record.facts.version);
  for (auto& byte : record.sha256) byte = static_cast<std::uint8_t>(random_());
  command.sha1.emplace();
  for (auto& byte : *command.sha1) byte = static_cast<std::uint8_t>(random_());
  line.firmware = record.id;
  const auto model_version = domain::model_version_tag(line.model, record.facts.version);
  const auto decided = domain::decide(domain::Firmware(), domain::FirmwareCommand(command), context(kOperator));
  write(expect(decided, "a firmware"),
        {unmoved(line.firmware, {}), {model_version, {}}, {domain::firmwares_tag(), projections::to_store(newest_firmware_)}},
        by_operator(/*repeatable=*/true));
  newest_firmware_ = pen_.position();
  // As the campaign that is made with it next needs it.
  line.campaign = {};
  line.campaign.facts = record.facts;
}

void LivedFleet::begin_campaign(Line& line) {
  constexpr std::array<domain::Strategy, 3> kStrategies{domain::Strategy::kStaged, domain::Strategy::kCanary,
                                                        domain::Strategy::kImmediate};
  domain::CampaignCreated record;
  record.name = fmt::format("{} {}", line.model, line.campaign.facts.version);
  record.firmware = line.firmware;
  record.firmware_name = "Smart Frame";
  record.facts = line.campaign.facts;
  record.target_filters_json = fmt::format(R"({{"device_model":"{}"}})", line.model);
  record.target_device_count = static_cast<std::uint32_t>(line.devices.size());
  auto& policy = record.policy;
  policy.strategy = kStrategies[(line.version - 1) % kStrategies.size()];
  policy.max_concurrent_updates = kConcurrentMax;
  policy.batch_size = std::max<std::uint32_t>(1, record.target_device_count / 10);
  policy.max_retries = kMaxRetries;
  policy.failure_threshold_percent = kThresholdPercent;
  domain::Bitmap targets;
  for (const std::uint32_t device : line.devices) targets.add(device);
  record.targets = domain::to_bytes(targets);
  record.resolved_at = pen_.position();
  domain::Campaign& campaign = line.campaign;
  campaign = {};
  campaign.id = {uuid()};
  const auto pick = domain::pick_percentage(campaign.id, targets, policy.rollout_percentage);
  record.picked = pick.count;
  record.pick_cutoff = pick.cutoff;
  if (policy.strategy == domain::Strategy::kCanary) {
    record.canary = domain::evidence_table(policy.failure_threshold_percent, policy.canary_p0_basis_points,
                                           policy.canary_p1_basis_points, pick.count);
    record.canary_cutoff = domain::canary_cutoff(campaign.id, targets, *record.canary);
  }
  line.waiting = line.devices;
  line.next_waiting = 0;
  line.bytes_since_snapshot = 0;
  line.snapshot_bytes = 0;
  const auto checked_at = projections::to_store(pen_.position());
  command(line, domain::CreateCampaign{campaign.id, record, pen_.position()},
          {unmoved(campaign.id, {}), {domain::stream_name(line.firmware), checked_at}, {domain::fleet_tag(), checked_at}});
  command(line, domain::StartCampaign{}, {{domain::gate_tag(campaign.id), projections::to_store(campaign.position)}});
  react(line);
}

void LivedFleet::command(Line& line, const domain::CampaignCommand& asked, std::vector<eventstore::Condition> conditions) {
  const auto decided = domain::decide(line.campaign, asked, context(kOperator));
  write(expect(decided, "what an operator wants of a campaign"), std::move(conditions), by_operator(/*repeatable=*/true));
}

// What follows from the campaign's state, until nothing is due; then the next campaign.
void LivedFleet::react(Line& line) {
  domain::Campaign& campaign = line.campaign;
  for (int reactions = 0; !campaign.closed; ++reactions) {
    if (reactions == kReactionsMax) throw std::runtime_error("a campaign's reactions do not come to their end");
    const auto gate = [&] {
      return eventstore::Condition{domain::gate_tag(campaign.id), projections::to_store(campaign.position)};
    };
    if (campaign.status == domain::CampaignStatus::kRollback) throw std::runtime_error("a campaign rolls itself back");
    if (campaign.status == domain::CampaignStatus::kPaused) {
      const bool canary = campaign.in_canary();
      command(line, canary ? domain::CampaignCommand(domain::PromoteCampaign{"good enough"}) : domain::ResumeCampaign{}, {gate()});
      continue;
    }
    const auto due = domain::next(campaign, {}, actors::limits::kOutstanding, now_);
    if (due.own.empty()) return;
    actors::Meta meta;
    meta.causation = projections::to_store(campaign.position);
    write(due.own, {gate()}, meta);
  }
  closed_ = campaign.id;
  ++line.version;
  add_firmware(line);
  begin_campaign(line);
}

// ---- devices ------------------------------------------------------------------------------------

// Those that wait poll one after the other until one is granted.
void LivedFleet::poll(std::uint32_t number) {
  Line& line = lines_[number];
  bool granted = false;
  if (domain::room(line.campaign, {}, now_).for_first_attempts) {
    const auto looks = std::min(kLooksAPoll, line.waiting.size());
    for (std::size_t look = 0; look < looks && !granted; ++look) {
      line.next_waiting = line.next_waiting + 1 < line.waiting.size() ? line.next_waiting + 1 : 0;
      const std::uint32_t device = line.waiting[line.next_waiting];
      granted = ask(line, device);
      if (!granted) continue;
      line.waiting[line.next_waiting] = line.waiting.back();
      line.waiting.pop_back();
    }
  }
  plan(Turn::kPolls, number, granted ? between(milliseconds(1), milliseconds(30)) : between(milliseconds(200), milliseconds(900)));
}

bool LivedFleet::ask(Line& line, std::uint32_t number) {
  const domain::Device& device = devices_[number];
  const domain::Campaign& campaign = line.campaign;
  const auto id = domain::UpdateId::in_campaign(campaign.id, device.ordinal);
  const auto busy = doing_.find(number);
  if (busy != doing_.end() && busy->second.update.id != id) return false;  // a late word of the campaign before is to come
  domain::GrantAsk ask;
  ask.device = device.id;
  ask.ordinal = device.ordinal;
  ask.facts = domain::facts_of(device);
  ask.device_position = device.position;
  ask.action = domain::next_action(device.last_action, settings_.first_action);
  ask.poll_sleep = settings_.poll_sleep;
  if (const auto known = device.updates.find(id); known != device.updates.end()) {
    ask.attempts = known->second.attempt;
    ask.batch = known->second.batch;
    ask.planned_from = known->second.plan.from_version;
  }
  const auto decision = domain::grant(campaign, {}, ask, context());
  const auto* granted = std::get_if<domain::AttemptGranted>(&decision);
  if (!granted) return false;
  Doing& doing = doing_[number];
  doing.update.id = id;
  const auto as_of_campaign = projections::to_store(campaign.position);
  write({{id, *granted, device.id}},
        {unmoved(device.id, device.position),
         {domain::gate_tag(campaign.id), as_of_campaign},
         {domain::stream_name(line.firmware), as_of_campaign}},
        {});
  plan_words(number);
  return true;
}

void LivedFleet::plan_words(std::uint32_t number) {
  Doing& doing = doing_.at(number);
  AttemptFate fate;
  fate.attempt = doing.update.attempt;
  fate.version = doing.update.plan.to_version;
  fate.fails = percent(kFailingPercent);
  fate.late_word = percent(kLatePercent);
  fate.failure = static_cast<std::uint32_t>(random_());
  if (percent(kPowerCutPercent)) fate.cut_after = random_() % 4;
  doing.words = words_of(client_of(number), fate);
  doing.said = 0;
  plan(Turn::kSpeaks, number, between(milliseconds(5), milliseconds(500)));
}

void LivedFleet::speak(std::uint32_t number) {
  const auto found = doing_.find(number);
  if (found == doing_.end()) return;  // it has said a late word too many
  Doing& doing = found->second;
  obey(number, doing.words[doing.said++]);
  if (doing.said < doing.words.size()) {
    plan(Turn::kSpeaks, number, between(milliseconds(200), seconds(20)));
  } else if (doing.update.in_progress()) {
    due_.push({*doing.update.timeout_at, ++planned_, Turn::kFallsSilent, number});
  } else if (doing.update.retry_at) {
    due_.push({*doing.update.retry_at + between({}, seconds(30)), ++planned_, Turn::kTriesAgain, number});
  } else {
    const bool well = doing.update.status == domain::UpdateStatus::kCompleted;
    doing_.erase(found);
    if (well) plan(Turn::kSaysWhatItIs, number, settings_.success_grace + between(seconds(1), settings_.poll_sleep));
  }
}

void LivedFleet::fall_silent(std::uint32_t number) {
  const auto& update = doing_.at(number).update;
  obey(number, domain::DeadlineReached{domain::UpdateDeadline::kTimeout, update.attempt});
  if (update.retry_at) {
    due_.push({*update.retry_at + between({}, seconds(30)), ++planned_, Turn::kTriesAgain, number});
  } else {
    doing_.erase(number);
  }
}

void LivedFleet::try_again(std::uint32_t number) {
  Line& line = line_of(number);
  const bool room = domain::room(line.campaign, {}, now_).for_retries;
  if (!room || !ask(line, number)) plan(Turn::kTriesAgain, number, between(seconds(1), seconds(30)));
}

void LivedFleet::obey(std::uint32_t number, const domain::UpdateCommand& command) {
  const domain::DeviceUpdate& update = doing_.at(number).update;
  const auto decided = domain::decide(update, command, context());
  write(expect(decided, "a report"), {unmoved(update.id, update.position)}, {});
}

// ---- the log ------------------------------------------------------------------------------------

void LivedFleet::write(const domain::Events& events, std::vector<eventstore::Condition> conditions, const actors::Meta& meta) {
  if (events.empty()) return;
  Position at = pen_.position();
  const auto written = pen_.write(events, std::move(conditions), meta);
  Line* moved = nullptr;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& emitted = events[i];
    ++at.value;
    fold({at, now_, emitted.stream, emitted.event, emitted.device, meta.caller}, written[i]);
    const auto* update = std::get_if<domain::UpdateId>(&emitted.stream);
    if (update && !written[i].tags.empty()) moved = &line_of(update->ordinal.value);
  }
  if (!moved) return;
  maybe_snapshot(*moved);
  react(*moved);
}

// Every fold that follows the event's stream, or one of its tags.
void LivedFleet::fold(const domain::Recorded& event, const eventstore::NewEvent& written) {
  if (const auto* id = std::get_if<domain::UpdateId>(&event.stream)) {
    const std::uint32_t number = id->ordinal.value;
    domain::evolve(doing_.at(number).update, event);
    if (written.tags.empty()) return;
    domain::evolve(devices_[number], event, settings_);
    Line& line = line_of(number);
    domain::evolve(line.campaign, event);
    line.bytes_since_snapshot += written.payload.size() + actors::limits::kRecordBeside;
  } else if (std::holds_alternative<domain::CampaignId>(event.stream)) {
    for (Line& line : lines_) {
      if (line.campaign.id == std::get<domain::CampaignId>(event.stream)) domain::evolve(line.campaign, event);
    }
  } else if (const auto* registered = std::get_if<domain::DeviceRegistered>(&event.event)) {
    domain::evolve(devices_[registered->ordinal.value], event, settings_);
  } else if (const auto* device = std::get_if<domain::DeviceId>(&event.stream)) {
    const auto number = std::stoul(device->value.substr(device->value.rfind('-') + 1));
    domain::evolve(devices_[number], event, settings_);
  }
}

// When a campaign's actor does it.
void LivedFleet::maybe_snapshot(Line& line) {
  if (line.bytes_since_snapshot <=
      std::max(actors::limits::kSnapshotBytesMin, actors::limits::kSnapshotFactor * line.snapshot_bytes)) {
    return;
  }
  auto bytes = domain::encode_state(line.campaign);
  line.bytes_since_snapshot = 0;
  line.snapshot_bytes = bytes.size();
  pen_.keep_snapshot(domain::stream_name(line.campaign.id), line.campaign.position, std::move(bytes));
}

domain::Duration LivedFleet::between(domain::Duration least, domain::Duration most) {
  return domain::Duration(std::uniform_int_distribution<std::int64_t>(least.count(), most.count())(random_));
}

// A UUIDv7 of the present moment.
domain::Bytes16 LivedFleet::uuid() {
  const auto ms = static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(now_.time_since_epoch()).count());
  domain::Bytes16 bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(i < 6 ? ms >> 8 * (5 - i) : random_());
  }
  bytes[6] = static_cast<std::uint8_t>(0x70 | (bytes[6] & 0x0f));
  bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3f));
  return bytes;
}

actors::Meta LivedFleet::by_operator(bool repeatable) {
  actors::Meta meta;
  meta.caller = kOperator;
  meta.repeatable = repeatable;
  auto& id = meta.command.emplace().bytes;
  for (auto& byte : id) byte = static_cast<std::uint8_t>(random_());
  return meta;
}

}  // namespace ota::bench
