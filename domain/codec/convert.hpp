// The pieces that events and states share, to and from their protobuf messages. Inside codec/ only.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "domain/codec/events.pb.h"
#include "domain/events.hpp"

namespace ota::domain::codec {

inline std::int64_t micros(Time t) { return t.time_since_epoch().count(); }
inline Time time_of(std::int64_t us) { return Time(Duration(us)); }

template <std::size_t N>
std::string bytes_of(const std::array<std::uint8_t, N>& a) {
  return std::string(view_of(a));
}
// Missing bytes are zero, further ones are left out: damaged input must not do more harm than that.
template <std::size_t N>
std::array<std::uint8_t, N> array_of(const std::string& bytes) {
  std::array<std::uint8_t, N> a{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), N), reinterpret_cast<char*>(a.data()));
  return a;
}

template <class List>
void put_list(const std::vector<std::string>& from, List* to) {
  for (const auto& s : from) *to->Add() = s;
}
template <class List>
std::vector<std::string> get_list(const List& from) {
  return {from.begin(), from.end()};
}

std::uint32_t number(auto e) { return static_cast<std::uint32_t>(e); }

void put(const FirmwareFacts& from, events::FirmwareFacts* to);
void put(const MaintenanceWindow& from, events::MaintenanceWindow* to);
void put(const CampaignPolicy& from, events::CampaignPolicy* to);
void put(const Verdict& from, events::Verdict* to);
void put(const EvidenceTable& from, events::EvidenceTable* to);
void put(const RollbackOf& from, events::RollbackOf* to);
void put(const UpdatePlan& from, events::UpdatePlan* to);
void put(const FirmwareRegistered& from, events::FirmwareRegistered* to);

FirmwareFacts get(const events::FirmwareFacts& from);
MaintenanceWindow get(const events::MaintenanceWindow& from);
CampaignPolicy get(const events::CampaignPolicy& from);
Verdict get(const events::Verdict& from);
EvidenceTable get(const events::EvidenceTable& from);
RollbackOf get(const events::RollbackOf& from);
UpdatePlan get(const events::UpdatePlan& from);
FirmwareRegistered get(const events::FirmwareRegistered& from);

}  // namespace ota::domain::codec
