// What a service consists of, in the order in which it is built: for service.cpp and service_start.cpp alone.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include "actors/backup_keeper.hpp"
#include "actors/log_keys.hpp"
#include "actors/log_verifier.hpp"
#include "actors/service.hpp"
#include "actors/ticker.hpp"
#include "actors/views_keeper.hpp"
#include "actors/world.hpp"

namespace ota::actors {

struct Service::Impl {
  ServiceOptions options;
  std::shared_ptr<eventstore::Log> log;
  std::unique_ptr<eventstore::Subjects> subjects;
  std::unique_ptr<projections::Views> views;
  World world;
  std::unique_ptr<eventstore::Tail> feed;
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<LogKeys> log_keys;             // null: the log is not signed
  std::unique_ptr<eventstore::Journal> journal;
  std::unique_ptr<Ticker> signing;
  std::unique_ptr<Ticker> erasing;
  std::unique_ptr<LogVerifier> verifier;
  std::unique_ptr<BackupKeeper> backups;
  std::unique_ptr<DiskGuard> disk;
  std::unique_ptr<ViewsKeeper> views_keeper;
  caf::actor timer;
  std::atomic<std::size_t> in_flight{0};
  std::atomic<std::size_t> waiting{0};    // threads, for answers
  mutable std::mutex trouble_mutex;
  std::map<std::string, std::string> poisoned;   // entity -> why
  std::atomic<bool> any_poisoned{false};
  std::vector<std::string> stuck;
  mutable std::mutex nameless_mutex;
  mutable std::set<domain::Caller> nameless;     // tokens that were asked for and have no name, which no erasure explains
};

}  // namespace ota::actors
