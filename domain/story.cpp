#include "domain/story.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "domain/campaign/campaign.hpp"
#include "domain/time_text.hpp"
#include "domain/update/update.hpp"

namespace ota::domain {
namespace {

std::string with(std::string_view separator, std::string_view text) {
  return text.empty() ? std::string() : fmt::format("{}{}", separator, text);
}
std::string in_brackets(const std::vector<std::string>& words) {
  return words.empty() ? std::string() : fmt::format(" ({})", fmt::join(words, "; "));
}
std::string until(const std::optional<Time>& time) { return time ? " until " + time_text(*time) : std::string(); }
std::string name_or(std::string_view text, std::string_view otherwise) { return std::string(text.empty() ? otherwise : text); }
std::string devices(std::uint64_t count) { return fmt::format("{} device{}", count, count == 1 ? "" : "s"); }

std::string way(const UpdatePlan& plan) {
  return fmt::format("from {} to {}", name_or(plan.from_version, "an unknown version"), name_or(plan.to_version, "the version before"));
}
std::string thing(const UpdatePlan& plan) { return plan.rollback ? "a rollback" : "an update"; }

std::string of_attributes(const Attributes& attributes) {
  std::vector<std::string> said;
  for (const auto& [name, value] : attributes) said.push_back(fmt::format("{} = {}", name, value));
  return fmt::format("{}", fmt::join(said, ", "));
}

std::string_view how(RegisteredVia via) {
  switch (via) {
    case RegisteredVia::kPoll: return "at its first poll";
    case RegisteredVia::kApi: return "by an operator";
    case RegisteredVia::kImport: return "from a file";
    case RegisteredVia::kDeviceService: return "by the Device Service";
    case RegisteredVia::kMqtt: return "with its hello over MQTT";
  }
  return "in a way that this version does not know";
}

std::string_view why(RollbackTrigger trigger) {
  switch (trigger) {
    case RollbackTrigger::kManual: return "an operator asked for it";
    case RollbackTrigger::kFailureRate: return "too many devices failed";
    case RollbackTrigger::kHealthCheck: return "the device reported bad health";
    case RollbackTrigger::kTimeout: return "the device went silent while it installed";
    case RollbackTrigger::kErrorThreshold: return "one error came on too many devices";
  }
  return "for a reason that this version does not know";
}

std::string_view why(FailureKind kind) {
  switch (kind) {
    case FailureKind::kDevice: return "the device failed";
    case FailureKind::kTransport: return "the network broke off";
    case FailureKind::kService: return "the service could not give the bytes";
    case FailureKind::kTimeout: return "no word came in time";
  }
  return "for a reason that this version does not know";
}

std::string judged(const std::optional<Verdict>& verdict) { return verdict ? with(": ", sentence(*verdict)) : std::string(); }

struct Teller {
  const Recorded& r;
  const std::string& actor;

  // "ada <did>", or "<it> <was done>" where nobody did it.
  std::string done(std::string_view did, std::string_view by_itself) const {
    return actor.empty() ? std::string(by_itself) : fmt::format("{} {}", actor, did);
  }

  // Of what an operator alone does, also where nobody said who that is.
  std::string by_operator(std::string_view did) const {
    return fmt::format("{} {}", actor.empty() ? std::string_view("An operator") : std::string_view(actor), did);
  }

  // ---- firmware ----
  std::string operator()(const FirmwareRegistered& e) const {
    return done(fmt::format("registered firmware {} {} for {}{}", e.name, e.facts.version, e.facts.device_model,
                            with(", whose bytes are at ", e.file_url)),
                fmt::format("Firmware {} {} for {} was registered", e.name, e.facts.version, e.facts.device_model));
  }
  std::string operator()(const FirmwareContentStored&) const { return "The bytes of the firmware are stored"; }
  std::string operator()(const FirmwareContentFailed& e) const { return "The bytes of the firmware cannot be had: " + e.reason; }
  std::string operator()(const FirmwareSourceChanged& e) const {
    return done("said that the bytes are at " + e.file_url, "The bytes of the firmware are now at " + e.file_url);
  }
  std::string operator()(const FirmwareDeprecated& e) const {
    return done("deprecated the firmware", "The firmware was deprecated") + with(": ", e.reason);
  }
  std::string operator()(const FirmwareRestored& e) const {
    return done("restored the firmware", "The firmware was restored") + with(": ", e.reason);
  }
  std::string operator()(const FirmwareRecalled& e) const {
    return done("recalled the firmware", "The firmware was recalled") + with(": ", e.reason) + "; no device is given it any more";
  }
  std::string operator()(const DownloadCompleted&) const { return done("downloaded the firmware", "The firmware was downloaded"); }

  // ---- devices ----
  std::string operator()(const DeviceRegistered& e) const {
    return fmt::format("The device was registered {}{}", how(e.via), with(" with ", of_attributes(e.attributes)));
  }
  std::string operator()(const DeviceAttributesChanged& e) const {
    std::vector<std::string> parts;
    if (!e.set.empty()) parts.push_back(of_attributes(e.set));
    if (!e.removed.empty()) parts.push_back(fmt::format("no {} any more", fmt::join(e.removed, ", ")));
    if (e.groups_changed) {
      parts.push_back(e.groups.empty() ? "member of no group" : fmt::format("member of {}", fmt::join(e.groups, ", ")));
    }
    if (e.owner) parts.push_back(*e.owner == Caller{} ? "of nobody" : "of another owner");
    const auto what = fmt::format("{}", fmt::join(parts, "; "));
    if (e.by_device) return "The device says of itself: " + what;
    return done("said of the device: " + what, "The device is now: " + what);
  }
  std::string operator()(const DeviceDeleted& e) const {
    return done("deleted the device", "The device was deleted") + with(": ", e.reason);
  }
  std::string operator()(const DeviceReturned& e) const { return fmt::format("The device has come back, {}", how(e.via)); }
  std::string operator()(const AutoConfirmChanged& e) const {
    return fmt::format("From now on its user {}{}{}", e.active ? "agrees to every update beforehand" : "is asked before updates",
                       with(", says ", e.initiator), with(": ", e.remark));
  }
  std::string operator()(const DeviceTokenRotated& e) const {
    return done("gave the device a new token", "The device was given a new token") + with("; the old one is good", until(e.previous_until));
  }
  std::string operator()(const DevicePushChanged& e) const {
    return e.push ? "The device takes its commands over MQTT from now on" : "The device takes no commands over MQTT any more";
  }
  std::string operator()(const IdsReserved& e) const {
    return fmt::format("Numbers were set aside for {} that are not known yet", devices(e.devices.size()));
  }

  // ---- campaigns ----
  std::string operator()(const CampaignCreated& e) const {
    const auto left_out = e.target_device_count > e.picked
                              ? fmt::format(", {} % of {}", e.policy.rollout_percentage, devices(e.target_device_count))
                              : std::string();
    return done(fmt::format("created the campaign \"{}\": {} {} for {}{}, {}", e.name, e.firmware_name, e.facts.version,
                            devices(e.picked), left_out, to_text(e.policy.strategy)),
                fmt::format("The campaign \"{}\" was created: {} {} for {}{}, {}", e.name, e.firmware_name, e.facts.version,
                            devices(e.picked), left_out, to_text(e.policy.strategy)));
  }
  std::string operator()(const CampaignTargetPart& e) const {
    return fmt::format("Part {} of the targets was written: {}", e.index + 1, devices(bitmap_from_bytes(e.targets).cardinality()));
  }
  std::string operator()(const CampaignApproved& e) const {
    return done(e.approved ? "approved the campaign" : "refused to approve the campaign",
                e.approved ? "The campaign was approved" : "The campaign was not approved") +
           with(": ", e.comment) + with("; on the condition: ", e.conditions);
  }
  std::string operator()(const CampaignScheduled& e) const {
    return done("scheduled the campaign", "The campaign was scheduled") + " for " + time_text(e.start_at);
  }
  std::string operator()(const CampaignStarted&) const { return done("started the campaign", "The campaign started"); }
  std::string operator()(const CampaignPaused& e) const {
    const auto reason = e.verdict ? judged(e.verdict) : with(": ", e.reason);
    return (e.cause == PauseCause::kOperator ? by_operator("paused the campaign") : "The campaign paused by itself") + reason;
  }
  std::string operator()(const CampaignResumed&) const { return done("resumed the campaign", "The campaign was resumed"); }
  std::string operator()(const CampaignCancelled& e) const {
    return done("cancelled the campaign", "The campaign was cancelled") + with(": ", e.reason);
  }
  std::string operator()(const CampaignFinished& e) const {
    if (e.by_schedule) return "Its scheduled end has come: who was not given the update is cancelled, the rest runs to its end";
    return done("told the campaign to finish", "The campaign was told to finish") + with(": ", e.reason);
  }
  std::string operator()(const CanaryPromoted& e) const {
    return (e.by_operator ? done("promoted the canary", "The canary was promoted") : "The canary is good enough") +
           judged(e.verdict) + with("; ", e.reason);
  }
  std::string operator()(const CanaryToppedUp& e) const {
    return done(fmt::format("let {} more try the update first", devices(e.devices)),
                fmt::format("{} more try the update first", devices(e.devices)));
  }
  std::string operator()(const CampaignAborted& e) const { return "The campaign was stopped" + judged(e.verdict); }
  std::string operator()(const CampaignRollbackBegun& e) const {
    if (e.trigger == RollbackTrigger::kManual) return by_operator("began to roll the campaign back") + with(": ", e.reason);
    const auto text = fmt::format("The campaign began to roll back by itself, since {}", why(e.trigger));
    if (e.verdict) return text + judged(e.verdict);
    if (!e.error_code.empty()) return text + fmt::format(": {} on {}", e.error_code, devices(e.error_devices));
    return text + with(": ", e.reason);
  }
  std::string operator()(const CampaignSwitched& e) const {
    if (e.by_schedule) return "The time to switch has come: whoever holds the update installs it";
    return done("switched: whoever holds the update installs it", "The campaign switched: whoever holds the update installs it") +
           with("; ", e.reason);
  }
  std::string operator()(const CampaignClosed& e) const {
    return fmt::format("The campaign is over and has {}: {}",
                       e.outcome == CampaignStatus::kCompleted ? "succeeded"
                       : e.outcome == CampaignStatus::kFailed  ? "failed"
                                                               : "been cancelled",
                       sentence(e.verdict));
  }
  std::string operator()(const BatchOpened& e) const { return fmt::format("Batch {} opened", e.batch); }

  // ---- updates ----
  std::string operator()(const UpdateRequested& e) const {
    const auto text = fmt::format("{} {}", thing(e.plan), way(e.plan));
    const auto because = e.plan.rollback ? fmt::format(", since {}", why(e.plan.rollback->trigger)) : std::string();
    return done("asked for " + text, "The device is to have " + text) + because +
           (e.plan.rollback ? with(": ", e.plan.rollback->reason) : std::string());
  }
  std::string operator()(const AttemptGranted& e) const {
    return fmt::format("The device may {} (attempt {}{}){}{}", e.hold ? "download the update and hold it" : "update", e.attempt,
                       e.batch > 0 ? fmt::format(", batch {}", e.batch) : std::string(),
                       e.plan ? ", " + way(*e.plan) : std::string(), in_brackets(e.warnings));
  }
  std::string operator()(const AttemptStarted& e) const {
    if (e.released) return "The device may install what it holds";
    if (e.extended) return "The device has its time anew" + until(e.timeout_at);
    return fmt::format("The device has begun attempt {}; it has{} to finish", e.attempt, until(e.timeout_at));
  }
  std::string operator()(const ProgressReported& e) const {
    if (e.artifact_requested) return "The device asked for the bytes";
    const auto share = e.phase_basis_points > 0 ? fmt::format(", {} %", e.phase_basis_points / 100) : std::string();
    return fmt::format("The device is {}{}{}", to_text(e.phase), share, in_brackets(e.details));
  }
  std::string operator()(const LateReportRecorded& e) const {
    return fmt::format("The device reported {} of attempt {}, too late to change anything{}", to_text(e.reported), e.attempt,
                       in_brackets(e.details));
  }
  std::string operator()(const AttemptEnded& e) const {
    if (e.success) {
      return fmt::format("Attempt {} succeeded{}", e.attempt,
                         e.without_download ? ", though nobody had asked us for the bytes" : "");
    }
    const auto next = e.retry_at     ? "; the next may begin at " + time_text(*e.retry_at)
                      : e.takes_back ? "; the device is to be rolled back"
                                     : "; there is no further one";
    return fmt::format("Attempt {} failed, {}{}{}{}", e.attempt, why(e.kind), with(": ", e.error_code),
                       with(", ", e.error_message), next);
  }
  std::string operator()(const GrantLapsed& e) const {
    return fmt::format("Attempt {} lapsed: the device did not come for it in time", e.attempt);
  }
  std::string operator()(const UpdateSkipped& e) const { return "The device is left out" + with(": ", e.fact); }
  std::string operator()(const CancelRequested& e) const {
    return done("asked the device to stop", "The device is asked to stop") + fmt::format(", {}", why_cancelled(e.cause).second) +
           "; without an answer it counts as stopped at " + time_text(e.give_up_at);
  }
  std::string operator()(const CancelRefused& e) const { return "The device will not stop" + in_brackets(e.details); }
  std::string operator()(const UpdateCancelled& e) const {
    return done("cancelled the update", "The update was cancelled") + with(": ", why_cancelled(e.cause).second);
  }
  std::string operator()(const ConsentAsked&) const { return "The device's user was asked whether the update may begin"; }
  std::string operator()(const ConsentGiven& e) const { return "The device's user agreed" + in_brackets(e.details); }
  std::string operator()(const UpdateHeld& e) const {
    return e.until ? "Downloaded and verified; it installs when its maintenance window opens, " + time_text(*e.until)
                   : "Downloaded and verified; it installs when the campaign switches";
  }
  std::string operator()(const UpdateRefuted& e) const {
    return fmt::format("It has failed after all, by its {}{}{}", e.by == RefutedBy::kVersion ? "version" : "health",
                       with(": ", e.fact), e.takes_back ? "; the device is to be rolled back" : "");
  }
  std::string operator()(const UpdateUndone& e) const { return "The update was undone by " + to_text(e.by); }
  std::string operator()(const RetryAsked&) const { return done("asked for another attempt", "Another attempt was asked for"); }

  // ---- users, the service ----
  std::string operator()(const UserPreferencesChanged& e) const {
    return fmt::format("The user {} beta firmware{}", e.beta_opt_in ? "takes" : "takes no",
                       e.paused_until ? ", and no update" + until(e.paused_until) : std::string());
  }
  std::string operator()(const SubjectErased&) const { return "A person was erased: their name is nowhere any more"; }
  std::string operator()(const LogKeyAdopted& e) const {
    return done(fmt::format("gave the log {} a new key", e.origin), fmt::format("The log {} is signed by a key from now on", e.origin));
  }
  std::string operator()(const AuditRead& e) const { return done("read the audit", "The audit was read") + with(": ", e.what); }
  std::string operator()(const UnknownEvent& e) const { return fmt::format("Something that this version does not know (type {})", e.type); }
};

}  // namespace

std::string tell(const Recorded& event, const std::string& actor) {
  if (event.damaged) return "An event that cannot be read";
  return std::visit(Teller{event, actor}, event.event);
}

}  // namespace ota::domain
