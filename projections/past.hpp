// What was so at an earlier moment: campaigns, updates and devices as they were behind one event of the log.
//
// Folded from the log with the very functions of domain/, from the nearest snapshot, when somebody asks; nothing of it is
// kept. What the present views answer to the same question at that position is what this answers (tests/projections/
// past_test.cpp), but for the few figures that are said to be left out. Views are asked for what never changes: who an ordinal
// is, and which campaigns there are: they must have seen the event by then. For one question, on one thread; throws
// eventstore::LogError if the log cannot be read, std::runtime_error at an event whose bytes cannot be.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "domain/settings.hpp"
#include "eventstore/log.hpp"
#include "projections/answers.hpp"
#include "projections/campaign_entry.hpp"
#include "projections/views.hpp"

namespace ota::projections {

class Past {
 public:
  // As it was behind the event at `at`. All must outlive this.
  Past(const eventstore::Log& log, const Views& views, const domain::Settings& settings, domain::Position at)
      : log_(log), views_(views), settings_(settings), at_(at) {}

  domain::Position at() const { return at_; }
  // Of the event at that position; the epoch before the first.
  domain::Time time() const;

  // Without batches, error codes, update_us_total and without_download, which are 0.
  std::optional<CampaignRow> campaign(domain::CampaignId id) const;
  Page<CampaignRow> campaign_list(const CampaignFilter& filter, const PageRequest& page) const;   // newest first
  domain::Bitmap targets(domain::CampaignId id) const;

  // Or what a target shows that had no events then, or a rollback that had not begun.
  std::optional<domain::DeviceUpdate> update(const domain::UpdateId& id) const;
  Page<domain::DeviceUpdate> campaign_updates(domain::CampaignId id, std::optional<domain::UpdateStatus> status,
                                              const PageRequest& page) const;   // by ordinal
  Page<domain::DeviceUpdate> device_updates(const domain::DeviceId& id, const PageRequest& page) const;

  // Registered by then, or deleted since.
  std::optional<domain::Device> device(const domain::DeviceId& id) const;

  std::optional<domain::Firmware> firmware(domain::FirmwareId id) const;
  Statistics statistics() const;

 private:
  // A campaign by the events of its own stream: what its row in the views has.
  struct Own {
    CampaignEntry entry;
    domain::Bitmap targets;
    domain::Bitmap withdrawn;               // when it was created
    domain::Position ended;                 // 0: it had not
    CampaignEntry created;                  // the entry as its creation left it, without any set
    std::vector<domain::Recorded> since;    // what was folded into that, up to the entry

    CampaignEntry before(domain::Position position) const;
  };
  using OwnPtr = std::shared_ptr<const Own>;
  OwnPtr own(domain::CampaignId id) const;  // null: it was not there
  std::optional<Own> read_own(domain::CampaignId id) const;
  bool was_there(const CampaignRow& row) const;
  bool may_have_run(const CampaignRow& row) const;
  domain::Campaign folded(const Own& own) const;
  CampaignRow row_of(const Own& own) const;
  bool has_begun(const domain::UpdateId& id) const;
  std::optional<domain::DeviceUpdate> with_events(const domain::UpdateId& id) const;
  domain::DeviceUpdate before_its_first_event(const domain::UpdateId& id, const domain::Recorded& first) const;
  std::optional<domain::DeviceUpdate> pending(const Own& own, domain::Ordinal ordinal) const;
  std::optional<domain::DeviceUpdate> waiting_rollback(const domain::UpdateId& id) const;
  std::optional<domain::DeviceUpdate> waiting_in(const CampaignRow& row, domain::Ordinal ordinal) const;
  bool is_gone(const domain::DeviceId& id, domain::Ordinal ordinal) const;
  domain::DeviceId device_of(domain::Ordinal ordinal) const;
  std::optional<domain::Ordinal> ordinal_of(const domain::DeviceId& id) const;

  class Difference;

  const eventstore::Log& log_;
  const Views& views_;
  const domain::Settings& settings_;
  const domain::Position at_;
  // What was read, for the next row: a page of updates is of few campaigns.
  mutable std::optional<domain::Time> time_;
  mutable std::map<domain::CampaignId, OwnPtr> owns_;
  mutable std::map<domain::CampaignId, CampaignRow> rows_;
  mutable std::map<domain::FirmwareId, std::optional<domain::Firmware>> firmware_;
};

}  // namespace ota::projections
