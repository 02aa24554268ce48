// From the rows of the views to the JSON of spec/api.md: every field name of an answer is written here and nowhere else.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "actors/ports/content_fetcher.hpp"
#include "actors/service.hpp"
#include "http/last_seen.hpp"
#include "projections/views.hpp"

namespace ota::projections {
class Past;
}

namespace ota::http {

// What a row alone does not hold: names of persons, firmware of updates, links.
class Renderer {
 public:
  // `fetcher` knows how far the bytes of firmware are that was registered by URL; may be null.
  Renderer(const actors::Service& service, const LastSeen& last_seen, std::string base_path,
           const actors::ContentFetcher* fetcher = nullptr);

  nlohmann::json firmware(const projections::FirmwareRow& row) const;
  // With its firmware in full, and the ids of so many of its targets.
  nlohmann::json campaign(const projections::CampaignRow& row, std::size_t targets_shown = kTargetsShown) const;
  // `waiting_for` is null: see waiting.hpp.
  nlohmann::json update(const domain::DeviceUpdate& update) const;
  nlohmann::json device(const domain::Device& device) const;
  // `update` is one that takes a device back (Views::rollback).
  nlohmann::json rollback(const domain::DeviceUpdate& update) const;
  // "Why is it not updated?" of one update: its gates, and a sentence.
  nlohmann::json why(const actors::Service::Why& why) const;
  // Of campaigns and updates created in [from, until) if one of them is given; last_24h and devices are always of now.
  nlohmann::json statistics(std::optional<domain::Time> from, std::optional<domain::Time> until) const;
  // As of then; what was created in the day before is null.
  nlohmann::json past_statistics(const projections::Past& past) const;
  nlohmann::json campaign_statistics(const projections::CampaignRow& row) const;
  // In hex; null while nobody knows it.
  static nlohmann::json md5(const domain::FirmwareRegistered& record);

  // Of one campaign, or of all on a page (spec/api.md section 4); the rest through /updates.
  static constexpr std::size_t kTargetsShown = 1'000;

 private:
  // How far its bytes are, and what stands in their way.
  void add_content(nlohmann::json& shown, const domain::Firmware& firmware) const;
  nlohmann::json person(domain::Caller caller) const;
  const actors::Service& service_;
  const LastSeen& last_seen_;
  std::string base_path_;
  const actors::ContentFetcher* fetcher_;
};

// completed / (completed + failed) x 100, two decimals; 0.0 while nothing has finished (BR-OTA-041).
double success_rate(std::uint64_t completed, std::uint64_t failed);

}  // namespace ota::http
