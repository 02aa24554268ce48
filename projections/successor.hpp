// The edition that is being built beside the one that is shown (rebuild.hpp).
#pragma once

#include <filesystem>
#include <memory>

#include "projections/edition.hpp"
#include "projections/rebuild.hpp"

namespace ota::projections {

class Successor {
 public:
  Successor(std::filesystem::path folder, const domain::Settings& settings);
  // Deletes what was built, unless it was released.
  ~Successor();
  Successor(const Successor&) = delete;
  Successor& operator=(const Successor&) = delete;

  // Folds the log up to its head, and brings that to disk. False: broken off. Throws eventstore::LogError if the log cannot be
  // read, and std::runtime_error if what was built is broken.
  bool catch_up(const eventstore::Log& log, const RebuildProgress& go_on, domain::Position until = {UINT64_MAX});
  // Folds the rest up to `until`, on the thread that applies and so only a little: false if that is too much by now, or if
  // it is ahead. Throws as catch_up() does.
  bool level_with(const eventstore::Log& log, domain::Position until);

  const Edition& edition() const { return *edition_; }
  // It is shown from now on, and fills that front in the place of the edition before.
  std::shared_ptr<Edition> release(PollFront& front);

 private:
  void expect_sound() const;

  PollFront front_;
  std::shared_ptr<Edition> edition_;
};

}  // namespace ota::projections
