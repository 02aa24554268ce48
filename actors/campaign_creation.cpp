// How a campaign comes to be: targets resolved once against the views at one position, unknown ids reserved, big sets
// written ahead in parts, and one event that makes all of it true. Parts without that event are nothing.
#include <openssl/evp.h>

#include <fmt/format.h>

#include <unordered_map>

#include "actors/limits.hpp"
#include "actors/service.hpp"
#include "domain/bitmap.hpp"
#include "domain/evidence.hpp"
#include "domain/limits.hpp"
#include "domain/rollout.hpp"
#include "domain/version.hpp"

namespace ota::actors {
namespace {

bool in_any_group(const domain::Device& device, const std::vector<std::string>& groups) {
  for (const auto& group : device.groups) {
    if (std::find(groups.begin(), groups.end(), group) != groups.end()) return true;
  }
  return false;
}

// Known and different: left out, counted by reason (decision 11). Unknown goes in and is looked at when it asks.
std::string reason_to_exclude(const domain::DeviceFacts& facts, const domain::FirmwareFacts& firmware) {
  if (!facts.model.empty() && facts.model != firmware.device_model) return "incompatible_model";
  if (!facts.hardware_version.empty() &&
      !domain::in_hardware_range(facts.hardware_version, firmware.min_hardware_version,
                                 firmware.max_hardware_version)) {
    return "incompatible_hardware";
  }
  return {};
}

// Contiguous pieces of a set, each at most limits::kTargetPartBytes when serialised.
std::vector<std::string> split(const domain::Bitmap& set) {
  std::vector<std::string> parts;
  domain::Bitmap part;
  std::uint32_t in_part = 0;
  // 32-bit ordinals cost at most 2 bytes each in a bitmap's worst case, plus headers.
  constexpr std::uint32_t kOrdinalsPerPart = limits::kReserveChunk * 12;
  for (const auto ordinal : set) {
    part.add(ordinal);
    if (++in_part == kOrdinalsPerPart) {
      parts.push_back(domain::to_bytes(std::move(part)));
      part = {};
      in_part = 0;
    }
  }
  if (in_part > 0) parts.push_back(domain::to_bytes(std::move(part)));
  return parts;
}

std::array<std::uint8_t, 32> hash_of(const std::vector<std::string>& parts) {
  std::array<std::uint8_t, 32> digest{};
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  for (const auto& part : parts) EVP_DigestUpdate(context.get(), part.data(), part.size());
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  return digest;
}

// Who has opted in to beta firmware on their devices (decisions 6 and 18); each owner is looked up once.
class OptedIn {
 public:
  explicit OptedIn(const projections::Views& views) : views_(views) {}
  bool has(domain::Caller owner) {
    if (owner == domain::Caller{}) return false;
    const auto [known, is_new] = known_.try_emplace(owner.token, false);
    if (is_new) {
      const auto user = views_.user(owner);
      known->second = user && user->beta_opt_in;
    }
    return known->second;
  }

 private:
  const projections::Views& views_;
  std::unordered_map<std::uint64_t, bool> known_;
};

std::optional<domain::DomainError> not_to_be_rolled_out(const projections::FirmwareRow& row) {
  const auto status = row.firmware.status;
  if (status == domain::FirmwareStatus::kAvailable) return std::nullopt;
  return domain::wrong_state("firmware", domain::to_text(status), "roll out", {"available"});
}

// The ordinals that were retired after one position and up to another, as a bitmap's bytes; empty: none.
std::string deleted_between(const eventstore::Log& log, domain::Position after, domain::Position until) {
  domain::Bitmap deleted;
  log.read_tag(domain::fleet_tag(), projections::to_store(after), [&](const eventstore::RecordedEvent& event) {
    if (event.position.value > until.value) return false;
    const auto recorded = projections::decode(event);
    if (const auto* e = std::get_if<domain::DeviceDeleted>(&recorded.event)) deleted.add(e->ordinal.value);
    return true;
  });
  return deleted.isEmpty() ? std::string() : domain::to_bytes(std::move(deleted));
}

}  // namespace

Answer Service::create_campaign(const CampaignSpec& spec, Meta meta) {
  if (auto full = refuse_if_full()) return std::move(*full);
  auto& v = views();
  const auto resolved_at = v.position();
  const auto firmware = v.firmware(spec.firmware);
  if (!firmware) return domain::not_found("Firmware", domain::to_text(spec.firmware));
  const auto& record = firmware->firmware.record;
  if (auto refused = not_to_be_rolled_out(*firmware)) return std::move(*refused);
  const bool asks_owners = record.facts.is_beta && !spec.policy.allow_beta;
  OptedIn opted_in(v);
  auto listed = ordinals_of(spec.devices, meta);
  if (!listed) return listed.error();

  domain::CampaignCreated created;
  domain::Bitmap targets;
  domain::Bitmap known;  // of the listed ones
  const auto consider = [&](const domain::Device& device) {
    const auto ordinal = device.ordinal.value;
    const bool is_listed = listed.value().contains(ordinal);
    if (is_listed) known.add(ordinal);
    const auto facts = domain::facts_of(device);
    const bool wanted = is_listed || in_any_group(device, spec.groups) ||
                        (spec.filter && domain::matches(*spec.filter, device, facts));
    if (!wanted) return true;
    ++created.target_device_count;
    if (const auto reason = reason_to_exclude(facts, record.facts); !reason.empty()) {
      ++created.excluded[reason];
    } else if (asks_owners && !opted_in.has(device.owner)) {
      ++created.excluded["beta_not_opted_in"];
    } else {
      targets.add(ordinal);
    }
    return true;
  };
  if (spec.groups.empty() && !spec.filter) {
    v.each_device_of(listed.value(), consider);
  } else {
    v.each_device(consider);
  }
  const domain::Bitmap unknown = listed.value() - known;
  created.target_device_count += static_cast<std::uint32_t>(unknown.cardinality());
  if (asks_owners) {  // nobody has opted in for a device that is not known
    if (!unknown.isEmpty()) created.excluded["beta_not_opted_in"] += static_cast<std::uint32_t>(unknown.cardinality());
    if (targets.isEmpty()) {
      return domain::invalid("allow_beta", "Beta firmware requires explicit opt-in: allow_beta is false, and no device's "
                                           "owner has opted in");
    }
  } else {
    targets |= unknown;
  }

  created.name = spec.name;
  created.description = spec.description;
  created.firmware = spec.firmware;
  created.firmware_name = record.name;
  created.facts = record.facts;
  created.policy = spec.policy;
  if (record.facts.is_security_update) {  // decision 6
    created.policy.priority = std::max(created.policy.priority, domain::Priority::kHigh);
  }
  created.target_groups = spec.groups;
  created.target_filters_json = spec.filter_json;
  created.resolved_at = resolved_at;
  const auto pick = domain::pick_percentage(spec.id, targets, spec.policy.rollout_percentage);
  created.picked = pick.count;
  created.pick_cutoff = pick.cutoff;
  if (spec.policy.strategy == domain::Strategy::kCanary && pick.count > 0) {
    const auto& p = spec.policy;
    created.canary = domain::evidence_table(p.failure_threshold_percent, p.canary_p0_basis_points,
                                            p.canary_p1_basis_points, pick.count);
    created.canary_cutoff =
        domain::canary_cutoff(spec.id, domain::picked(spec.id, targets, pick.cutoff), *created.canary);
  }

  auto bytes = domain::to_bytes(targets);
  if (bytes.size() <= domain::limits::kTargetPartBytes) {
    created.targets = std::move(bytes);
  } else {
    const auto parts = split(targets);
    created.parts = static_cast<std::uint32_t>(parts.size());
    created.parts_hash = hash_of(parts);
    Meta of_part = meta;
    of_part.repeatable = false;
    for (std::uint32_t i = 0; i < parts.size(); ++i) {
      const auto answer = campaign(spec.id, domain::AddTargetPart{{i, parts[i]}}, of_part);
      if (!answer) return answer;
    }
  }
  // Devices are deleted while all this goes on: the creation names those, and holds only if there were no more.
  Answer answer = domain::invalid({}, {});
  for (int attempt = 0; attempt < limits::kCreationsMax; ++attempt) {
    const auto checked_at = v.position();
    const auto now = v.firmware(spec.firmware);
    if (auto refused = not_to_be_rolled_out(*now)) return std::move(*refused);
    created.content_pending = !now->firmware.content_here;
    created.withdrawn = deleted_between(log(), resolved_at, checked_at);
    answer = campaign(spec.id, domain::CreateCampaign{spec.id, created, checked_at}, meta);
    if (answer || answer.error().code != domain::ErrorCode::kBusy) break;
    settle();
  }
  return answer;
}

}  // namespace ota::actors
