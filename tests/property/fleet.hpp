// A fleet of devices, their campaign and a log, in one loop: what the actors do, without actors.
//
// Every event is delivered to whoever follows its stream or one of its tags, and to nobody else.
// Grants are pipelined: decided, promised, and written a little later if nothing newer stands in
// their way. Devices are honest but unreliable, operators interfere; what pauses of its own accord
// is looked after by somebody. After every event the promises
// of the design are checked (fleet_checks.cpp); a broken one is a std::runtime_error.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "domain/campaign/campaign.hpp"
#include "domain/campaign/grant.hpp"
#include "domain/device/device.hpp"
#include "domain/update/update.hpp"

namespace ota::domain::testing {

struct FleetOptions {
  std::uint32_t devices = 10;
  CampaignPolicy policy;
  std::uint32_t seed = 0;
  std::uint32_t failing_percent = 20;    // of the attempts that end
  std::uint32_t transport_percent = 20;  // of the failures
  std::uint32_t silent_percent = 10;     // of a granted device's turns
  bool operators = false;                // pause, resume, promote, finish, cancel, retry
  bool deletions = false;
  bool recalls = false;          // of the firmware
  bool rollbacks = false;        // by operators, in the middle and after the end
  bool content_pending = false;  // the firmware's bytes come later
  bool directs = false;          // direct updates compete with the campaign
  bool all_well = false;         // devices run what they report, their users agree
  bool leaps = true;             // now and then much time passes at once
  bool prompt = false;           // what is promised is written, and what is due done, before anything else happens
};

class Fleet {
 public:
  explicit Fleet(const FleetOptions& options);

  // Until the campaign has closed and no update of it is unfinished; throws if that takes for ever.
  void run();

  const Campaign& campaign() const { return campaign_; }
  // What the campaign has followed so far.
  const std::vector<Recorded>& followed() const { return followed_; }

 private:
  // A grant that was promised and is not written yet.
  struct Promise {
    Events events;
    std::size_t device = 0;
    Ordinal ordinal;
    Position device_position;
    std::uint64_t gate_moves = 0;  // of the campaign's gate and of the firmware
    bool first_in_batch = false;
  };
  // What the batches were found to be, counted here from the events alone.
  struct BatchBook {
    std::uint32_t granted = 0;
    std::uint32_t settled = 0;
  };

  // ---- the log
  void commit(const Events& events, Caller caller = {});
  void deliver(const Recorded& event, const std::vector<std::string>& tags);
  template <class State, class Command>
  bool obey(const State& state, const Command& command, Caller caller = {});
  void write_promises(std::size_t most);
  void react();

  // ---- who does things
  void turn_of_device(std::size_t index);
  bool ask_campaign(std::size_t index, bool gives_up = false);
  GrantAsk ask_of(const Device& device, const UpdateId& id) const;
  WayBack way_back(std::uint32_t ordinal, const std::string& version) const;
  bool is_hopeful(std::uint32_t ordinal, bool was_asked) const;
  UpdateId present_id(Ordinal ordinal) const;
  void speak(std::size_t index);
  void react_of_devices();
  void take_back(const Device& device);
  void act_on(DeviceUpdate& update);
  void report_end(const DeviceUpdate& update);
  void turn_of_operator();
  void look_after();
  void give_up();
  void deadlines();
  void let_time_pass();

  // ---- what must hold
  void check(bool holds, const std::string& what) const;
  void check_before(const Emitted& emitted) const;
  void check_grant(const AttemptGranted& granted, const UpdateId& id) const;
  void check_action(const std::string& device, ActionId action, const UpdateId& id) const;
  void check_gates(const GrantAsk& ask, const GrantDecision& decision) const;
  void check_sets() const;
  void check_verdict(const Event& event) const;
  void check_campaign() const;
  void check_canary() const;
  void check_progress(const DeviceUpdate& before, const DeviceUpdate& after) const;
  void check_edge(const DeviceUpdate& before, const DeviceUpdate& after, const Event& event) const;
  void check_end() const;
  void keep_book(const Recorded& event);
  void keep_canary_book(const Recorded& event, std::uint32_t ordinal);

  std::uint32_t number(std::uint32_t from, std::uint32_t to);
  bool percent(std::uint32_t chance) { return number(1, 100) <= chance; }
  Context context(Caller caller = {}) const { return {now_, caller, settings_}; }
  Stream own_stream() const { return campaign_.id; }

  FleetOptions options_;
  std::mt19937 random_;
  Settings settings_;
  Time now_;
  Position position_;
  Campaign campaign_;
  std::vector<Device> devices_;
  std::map<UpdateId, DeviceUpdate> updates_;
  std::deque<Promise> promises_;
  Reservations reserved_;
  Bitmap told_;
  std::uint64_t gate_moves_ = 0;
  std::uint32_t next_ordinal_ = 0;
  std::uint32_t next_direct_ = 0;
  std::map<std::uint32_t, BatchBook> batches_;
  Bitmap joined_first_;  // the canary
  std::map<std::string, std::uint32_t> last_actions_;
  std::uint32_t rollbacks_begun_ = 0;
  std::vector<Recorded> followed_;
  bool reacting_ = false;
};

}  // namespace ota::domain::testing
