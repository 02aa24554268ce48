// Who signs the log's checkpoints: a private key in a file, which an event of the stream `service` has made known.
//
//   <directory>/log.pem        the key that signs
//   <directory>/log.pem.next   one that is being adopted: it takes the other's place once its event is in the log
//   <directory>/log.pem.1, .2, ...   those that it has taken the place of
//
// A key is on disk before its event is written, and the event is in the log before anything is signed by it. After a crash in
// between the log decides: the next key is the key if the log knows it. No key that was the log's is ever deleted: a log may be
// repaired or put back to where it knew an earlier one, which then is there, and takes its place again.
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
  // Finds the key that the log knows as its newest, in whichever of the files. Throws std::runtime_error with a sentence for
  // people: none of them holds it, unless `replace_lost`; or log.pem holds one and the log knows none.
  LogKeys(std::shared_ptr<const eventstore::Log> log, std::filesystem::path directory, bool replace_lost);

  // Who signs today; null: open() will adopt the first.
  std::shared_ptr<const eventstore::Signer> signer() const { return signer_; }
  // Adopts a key if the log has none, or its own is lost; signs if its key has not yet. Call once, before anybody else appends.
  void open(eventstore::Journal& journal);
  // Puts a new key in the place of the present one, which vouches for it.
  Answer rotate(eventstore::Journal& journal, const Meta& meta);

 private:
  std::filesystem::path file() const { return directory_ / "log.pem"; }
  std::filesystem::path next_file() const { return directory_ / "log.pem.next"; }
  // Puts what an adoption that was broken off has left where it belongs.
  void settle_next(const eventstore::PublicKey* newest) const;
  void take_next() const;
  void set_aside(const std::filesystem::path& key) const;
  // One that was set aside.
  std::optional<std::filesystem::path> kept(const eventstore::PublicKey& wanted) const;
  std::optional<eventstore::SigningKey> find(const eventstore::PublicKey* newest) const;
  eventstore::AppendOutcome adopt(eventstore::Journal& journal, domain::LogKeyChange change, const Meta& meta);

  std::shared_ptr<const eventstore::Log> log_;
  std::filesystem::path directory_;
  std::optional<domain::LogKeyChange> due_;     // what open() has to do
  bool is_unsigned_ = false;                    // the key has signed nothing that is there: open() asks for it
  std::mutex mutex_;                            // one change at a time
  std::shared_ptr<const eventstore::Signer> signer_;
  std::string origin_;                          // empty: the log has none yet
};

}  // namespace ota::actors
