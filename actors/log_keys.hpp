// Who signs the log's checkpoints: a private key in a file, which an event of the stream `service` has made known.
//
//   <directory>/log.pem        the key that signs
//   <directory>/log.pem.next   one that is being adopted: it takes the other's place once its event is in the log
//   <directory>/log.pem.replaced   one that the log did not know, when a lost key was replaced
//
// A key is on disk before its event is written, and the event is in the log before anything is signed by it. After a crash in
// between the log decides: the next key is the key if the log knows it, else it never was.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "actors/request.hpp"
#include "domain/events.hpp"
#include "eventstore/checkpoint.hpp"
#include "eventstore/journal.hpp"
#include "projections/log_key_list.hpp"

namespace ota::actors {

class LogKeys {
 public:
  // Finds the key that the log knows as its newest. Throws std::runtime_error with a sentence for people: the file is missing
  // or holds another key, unless `replace_lost`; or it holds one and the log knows none.
  LogKeys(std::shared_ptr<const eventstore::Log> log, std::filesystem::path directory, bool replace_lost);

  // Who signs today; null: open() will adopt the first.
  std::shared_ptr<const eventstore::Signer> signer() const { return signer_; }
  // Adopts a key if the log has none, or its own is lost. Call once, before anybody else appends.
  void open(eventstore::Journal& journal);
  // Puts a new key in the place of the present one, which vouches for it.
  Answer rotate(eventstore::Journal& journal, const Meta& meta);

 private:
  std::filesystem::path file() const { return directory_ / "log.pem"; }
  std::filesystem::path next_file() const { return directory_ / "log.pem.next"; }
  void settle_next(const std::optional<projections::LogKey>& newest) const;
  void take_next() const;
  eventstore::AppendOutcome adopt(eventstore::Journal& journal, domain::LogKeyChange change, const Meta& meta);

  std::shared_ptr<const eventstore::Log> log_;
  std::filesystem::path directory_;
  std::optional<domain::LogKeyChange> due_;     // what open() has to do
  std::mutex mutex_;                            // one change at a time
  std::shared_ptr<const eventstore::Signer> signer_;
  std::string origin_;                          // empty: the log has none yet
};

}  // namespace ota::actors
