// A log on files that fail, and the names beside it; whoever cannot write reports instead of ending the process.
#pragma once

#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "eventstore/subjects.hpp"
#include "faulty_files.hpp"
#include "support.hpp"

namespace ota::eventstore::testing {

struct StopRequested {};

struct FaultyStore {
  FaultyStore() : env(rocksdb::NewCompositeEnv(files)) { open(); }
  void open() {
    stopped = {};
    has_stopped = false;
    Log::Options log_options;
    log_options.env = env.get();
    log = Log::open(directory.path(), log_options);
    Journal::Options options;
    options.fail_stop = [this](const std::string& why) { stop(why); };
    journal = std::make_unique<Journal>(log, std::vector<Tail*>{&tail}, options);
  }
  // Not by itself: most tests are of the log alone.
  void open_subjects() {
    subjects = Subjects::open(names.path(), {env.get(), [this](const std::string& why) { stop(why); }});
  }
  void close() {
    journal.reset();
    log.reset();
    subjects.reset();
  }
  [[noreturn]] void stop(const std::string& why) {
    {
      const std::lock_guard lock(mutex);
      if (!has_stopped) stopped.set_value(why);
      has_stopped = true;
    }
    throw StopRequested();
  }

  TempDir directory;
  TempDir names;
  std::shared_ptr<FaultyFiles> files = std::make_shared<FaultyFiles>();
  std::unique_ptr<rocksdb::Env> env;
  RecordingTail tail;
  std::mutex mutex;
  bool has_stopped = false;
  std::promise<std::string> stopped;
  std::shared_ptr<Log> log;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Subjects> subjects;
};

}  // namespace ota::eventstore::testing
