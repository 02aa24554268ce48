// Two models of devices that are updated again and again by one campaign after the other, in one loop: a life of months, as
// fast as it can be decided and written.
//
// What it takes from the service is everything that shapes an event: the decisions and folds of domain/, the conditions of the
// actors, the journal. What it leaves out are mailboxes, HTTP and waiting. Devices say what otasim's clients say
// (client_script.hpp). At any time a campaign of each model runs, with a thousand devices at once; their events mix as they do
// in a service. Campaigns are staged, canary and immediate in turn, and have all devices of their model as targets.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "domain/campaign/campaign.hpp"
#include "domain/campaign/grant.hpp"
#include "domain/device/device.hpp"
#include "domain/update/update.hpp"
#include "tools/benchmarks/client_script.hpp"
#include "tools/benchmarks/device_plans.hpp"
#include "tools/benchmarks/log_pen.hpp"

namespace ota::bench {

class LivedFleet {
 public:
  // Devices 0 to count - 1 (device_plans.hpp) with the ordinals 0 to count - 1: one half imported, the other at their first poll.
  LivedFleet(LogPen& pen, std::uint32_t count, domain::Time begin);

  // Lives on until so many events are written, and a few more. Campaigns are then in the middle.
  void live_until(std::uint64_t events);

  domain::Time now() const { return now_; }
  // The devices that are in the middle of an attempt, with its action.
  std::vector<ReportsPlan::Reporting> updating() const;
  // The newest one that has closed, of any model; empty: none has.
  std::optional<domain::CampaignId> closed_campaign() const { return closed_; }

 private:
  // One model, and its present campaign.
  struct Line {
    std::string model;
    std::vector<std::uint32_t> devices;
    std::uint32_t version = 1;              // major, that all of them run when the campaign begins
    domain::FirmwareId firmware;
    domain::Campaign campaign;
    std::vector<std::uint32_t> waiting;     // not granted in this campaign
    std::size_t next_waiting = 0;
    std::size_t bytes_since_snapshot = 0;
    std::size_t snapshot_bytes = 0;
  };
  // An update that has begun.
  struct Doing {
    domain::DeviceUpdate update;
    std::vector<domain::UpdateCommand> words;
    std::size_t said = 0;
  };
  enum class Turn : std::uint8_t { kPolls, kSpeaks, kFallsSilent, kTriesAgain, kSaysWhatItIs };
  struct Due {
    domain::Time at;
    std::uint64_t number = 0;               // of those at the same time the first comes first
    Turn turn = Turn::kPolls;
    std::uint32_t who = 0;                  // a device; of kPolls a line
    bool operator<(const Due& other) const { return std::pair(at, number) > std::pair(other.at, other.number); }
  };

  void register_devices();
  void say_what_it_is(std::uint32_t device);

  void add_firmware(Line& line);
  void begin_campaign(Line& line);
  void command(Line& line, const domain::CampaignCommand& command, std::vector<eventstore::Condition> conditions);
  void react(Line& line);

  void poll(std::uint32_t line);
  bool ask(Line& line, std::uint32_t device);
  void speak(std::uint32_t device);
  void fall_silent(std::uint32_t device);
  void try_again(std::uint32_t device);
  void obey(std::uint32_t device, const domain::UpdateCommand& command);
  void plan_words(std::uint32_t device);

  void write(const domain::Events& events, std::vector<eventstore::Condition> conditions, const actors::Meta& meta);
  void fold(const domain::Recorded& event, const eventstore::NewEvent& written);
  void maybe_snapshot(Line& line);

  Line& line_of(std::uint32_t device) { return lines_[device % lines_.size()]; }
  void plan(Turn turn, std::uint32_t who, domain::Duration in) { due_.push({now_ + in, ++planned_, turn, who}); }
  domain::Duration between(domain::Duration least, domain::Duration most);
  bool percent(double chance) { return std::uniform_real_distribution<double>(0, 100)(random_) < chance; }
  domain::Bytes16 uuid();
  actors::Meta by_operator(bool repeatable);
  domain::Context context(domain::Caller caller = {}) const { return {now_, caller, settings_}; }

  LogPen& pen_;
  std::mt19937 random_{8'216};
  const domain::Settings settings_;
  domain::Time now_;
  std::uint64_t planned_ = 0;
  std::priority_queue<Due> due_;
  std::vector<domain::Device> devices_;
  std::unordered_map<std::uint32_t, Doing> doing_;
  std::array<Line, 2> lines_;
  std::uint32_t firmwares_ = 0;
  domain::Position newest_firmware_;
  std::optional<domain::CampaignId> closed_;
};

}  // namespace ota::bench
