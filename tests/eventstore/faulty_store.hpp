// A log on files that fail, whose journal reports instead of ending the process.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "faulty_files.hpp"
#include "support.hpp"

namespace ota::eventstore::testing {

struct StopRequested {};

struct FaultyStore {
  FaultyStore() : env(rocksdb::NewCompositeEnv(files)) { open(); }
  void open() {
    stopped = {};
    Log::Options log_options;
    log_options.env = env.get();
    log = Log::open(directory.path(), log_options);
    Journal::Options options;
    options.fail_stop = [this](const std::string& why) {
      stopped.set_value(why);
      throw StopRequested();
    };
    journal = std::make_unique<Journal>(log, std::vector<Tail*>{&tail}, options);
  }
  void close() {
    journal.reset();
    log.reset();
  }

  TempDir directory;
  std::shared_ptr<FaultyFiles> files = std::make_shared<FaultyFiles>();
  std::unique_ptr<rocksdb::Env> env;
  RecordingTail tail;
  std::promise<std::string> stopped;
  std::shared_ptr<Log> log;
  std::unique_ptr<Journal> journal;
};

}  // namespace ota::eventstore::testing
