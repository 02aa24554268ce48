#include "actors/log_keys.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "actors/awaited.hpp"
#include "actors/world.hpp"
#include "eventstore/fault.hpp"
#include "eventstore/proofs.hpp"
#include "eventstore/sha256.hpp"

namespace ota::actors {
namespace {

using domain::LogKeyAdopted;
using domain::LogKeyChange;
using eventstore::VerifierKey;
using projections::vouching_text;

std::string_view view_of(const auto& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// A log is named after its first key.
std::string origin_of(const eventstore::PublicKey& first) {
  eventstore::Sha256 sha;
  return "ota-log/" + domain::to_hex(view_of(sha.hash(view_of(first))).substr(0, 8));
}

std::filesystem::path numbered(std::filesystem::path file, int number) {
  file += fmt::format(".{}", number);
  return file;
}

// Whether there is a checkpoint by the key that an event tells of. The first is signed with that event, but a repair may have cut
// off all.
bool has_signed(const std::shared_ptr<const eventstore::Log>& log, eventstore::Position adopted) {
  const auto note = eventstore::Proofs(log).checkpoint();
  if (!note) return false;
  const auto parsed = eventstore::parse_checkpoint(*note);
  const auto* newest = std::get_if<eventstore::SignedCheckpoint>(&parsed);
  return newest != nullptr && newest->checkpoint.tree.size >= adopted.value;
}

domain::DomainError unavailable(std::string why) {
  return {domain::ErrorCode::kUnavailable, std::move(why), {}, {}, {}, {}};
}

}  // namespace

LogKeys::LogKeys(std::shared_ptr<const eventstore::Log> log, std::filesystem::path directory, bool replace_lost)
    : log_(std::move(log)), directory_(std::move(directory)) {
  std::filesystem::create_directories(directory_);
  const auto known = projections::log_keys(*log_);
  const auto newest = known.empty() ? std::nullopt : std::optional(known.back());
  if (newest) origin_ = newest->key.name;
  const auto* wanted = newest ? &newest->key.key : nullptr;
  settle_next(wanted);
  auto key = find(wanted);
  if (newest && key && key->public_key() == newest->key.key) {
    signer_ = std::make_shared<const eventstore::Signer>(eventstore::Signer{origin_, std::move(*key)});
    is_unsigned_ = !has_signed(log_, newest->position);
    return;
  }
  if (!newest && key) {
    throw std::runtime_error(fmt::format("the log's signing key {} is of another log: this one knows no key. Put the file aside",
                                         file().string()));
  }
  if (newest && !replace_lost) {
    throw std::runtime_error(fmt::format(
        "the log's signing key {} is {}: the log knows {} since event {}. Put the right file there, or start once with "
        "--log.replace_lost_key on to go on with a new key, which nothing vouches for",
        file().string(), key ? "another" : "missing", newest->key.text(), newest->position.value));
  }
  if (key) set_aside(file());
  due_ = newest ? LogKeyChange::kLost : LogKeyChange::kFirst;
}

std::optional<eventstore::SigningKey> LogKeys::find(const eventstore::PublicKey* newest) const {
  auto key = std::filesystem::exists(file()) ? std::optional(eventstore::SigningKey::read(file())) : std::nullopt;
  if (!newest || (key && key->public_key() == *newest)) return key;
  const auto earlier = kept(*newest);
  if (!earlier) return key;
  if (key) set_aside(file());
  eventstore::move_durably(*earlier, file());
  spdlog::warn("the log's signing key was {}: the log ends where that one signed", earlier->string());
  return eventstore::SigningKey::read(file());
}

std::optional<std::filesystem::path> LogKeys::kept(const eventstore::PublicKey& wanted) const {
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    if (!entry.path().filename().string().starts_with("log.pem.")) continue;
    try {
      if (eventstore::SigningKey::read(entry.path()).public_key() == wanted) return entry.path();
    } catch (const std::runtime_error&) {
      // No key, or one that others may read.
    }
  }
  return std::nullopt;
}

void LogKeys::settle_next(const eventstore::PublicKey* newest) const {
  if (!std::filesystem::exists(next_file())) return;
  if (newest && eventstore::SigningKey::read(next_file()).public_key() == *newest) {
    take_next();
  } else {
    set_aside(next_file());  // it never was the key of this log; of the same log before a repair it may have been
  }
}

void LogKeys::take_next() const {
  if (std::filesystem::exists(file())) set_aside(file());
  OTA_FAULT("log_keys.before_take");
  eventstore::move_durably(next_file(), file());
}

void LogKeys::set_aside(const std::filesystem::path& key) const {
  int number = 1;
  while (std::filesystem::exists(numbered(file(), number))) ++number;
  eventstore::move_durably(key, numbered(file(), number));
}

void LogKeys::open(eventstore::Journal& journal) {
  if (is_unsigned_) journal.checkpoint({});
  if (!due_) return;
  const auto outcome = adopt(journal, *std::exchange(due_, std::nullopt), {});
  if (const auto* refused = std::get_if<eventstore::Refused>(&outcome)) {
    throw std::runtime_error(fmt::format("the log's signing key cannot be made known: {}", refused->why));
  }
}

eventstore::AppendOutcome LogKeys::adopt(eventstore::Journal& journal, LogKeyChange change, const Meta& meta) {
  // One that could not be put in its place is there still, and may be the log's only key.
  settle_next(signer_ ? &signer_->key.public_key() : nullptr);
  auto key = eventstore::SigningKey::make();
  key.write(next_file());
  if (origin_.empty()) origin_ = origin_of(key.public_key());
  LogKeyAdopted event{origin_, key.public_key(), change, {}};
  if (change == LogKeyChange::kRotated) {
    const auto signature = signer_->key.sign(vouching_text({origin_, key.public_key()}));
    std::copy(signature.begin(), signature.end(), event.signature.begin());
  }
  auto signer = std::make_shared<const eventstore::Signer>(eventstore::Signer{origin_, std::move(key)});
  eventstore::Append append;
  append.events = to_append({{domain::ServiceStream{}, std::move(event), std::nullopt}}, meta);
  append.signer = signer;
  if (meta.repeatable && meta.command) append.command = {*meta.command, meta.request, meta.status};
  const auto done = std::make_shared<Awaited<eventstore::AppendOutcome>>();
  journal.append(std::move(append), [done](const eventstore::AppendOutcome& outcome) { done->set(outcome); });
  auto outcome = done->take();
  if (std::holds_alternative<eventstore::Committed>(outcome)) {
    signer_ = std::move(signer);
    try {
      take_next();
    } catch (const std::runtime_error& fault) {
      spdlog::error("the log's new signing key stays in {} until the next start or change: {}", next_file().string(), fault.what());
    }
  } else {
    std::filesystem::remove(next_file());
  }
  return outcome;
}

Answer LogKeys::rotate(eventstore::Journal& journal, const Meta& meta) {
  const std::lock_guard lock(mutex_);
  if (!signer_) return unavailable("the log is not signed");
  try {
    const auto outcome = adopt(journal, LogKeyChange::kRotated, meta);
    Done done;
    if (const auto* committed = std::get_if<eventstore::Committed>(&outcome)) {
      done.wrote = true;
      done.position = committed->first;
      return done;
    }
    if (const auto* repeated = std::get_if<eventstore::Repeated>(&outcome)) {
      done.position = repeated->earlier.position;
      done.repeated = repeated->earlier;
      return done;
    }
    return unavailable(std::get<eventstore::Refused>(outcome).why);
  } catch (const std::runtime_error& error) {
    return unavailable(error.what());
  }
}

}  // namespace ota::actors
