// Persons and tokens over their database (subjects_database.hpp has its rows).
//
// A person is never in a key, since RocksDB copies keys into its MANIFEST, and a hash of a name
// that can be guessed is a name too. The way from person to token is therefore an index in memory,
// built at open: ~50 bytes a person, and a hash only, which the row confirms.
#include "eventstore/subjects.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <rocksdb/db.h>

#include <atomic>
#include <shared_mutex>
#include <stdexcept>
#include <system_error>
#include <unordered_map>

#include "eventstore/assert.hpp"
#include "eventstore/bytes.hpp"
#include "eventstore/database.hpp"
#include "eventstore/directory.hpp"
#include "eventstore/fail_stop.hpp"
#include "eventstore/fault.hpp"
#include "eventstore/limits.hpp"
#include "eventstore/scratch.hpp"
#include "eventstore/subjects_database.hpp"

namespace ota::eventstore {
namespace {

constexpr std::string_view kFormatKey = "mformat";
constexpr std::string_view kFormat = "1";
constexpr std::string_view kErasingKey = "merasing";

rocksdb::WriteOptions durable() {
  rocksdb::WriteOptions options;
  options.sync = true;
  return options;
}

std::string token_key(SubjectToken token) {
  std::string key(1, kTokenPrefix);
  key.append(reinterpret_cast<const char*>(token.bytes.data()), token.bytes.size());
  return key;
}

std::size_t hash_of(std::string_view person) { return std::hash<std::string_view>()(person); }

class RocksSubjects final : public Subjects {
 public:
  RocksSubjects(std::filesystem::path directory, Options options)
      : directory_(std::move(directory)),
        options_(std::move(options)),
        faults_(std::make_shared<BackgroundFaults>(fmt::format("the {} in {}", kSubjectsName, directory_.string()))) {
    if (!options_.fail_stop) options_.fail_stop = stop_process;
    const bool is_new = prepare_directory(directory_, kSubjectsName) == DirectoryState::kEmpty;
    open_database();
    check_format(is_new);
    load_index();
    made_ = tokens_made(*database_);
    must_write(keep_tokens_made(*database_, made_));
    replace_acknowledged(directory_, subjects_note(directory_, *database_, made_));
    note_ = std::make_unique<AcknowledgedFile>(directory_);
    std::string nothing;
    scrub_due_ = get(kErasingKey, nothing);
    if (scrub_due_) scrub();
    faults_->watch([this](const std::string& why) { stop(why); });
  }
  ~RocksSubjects() override { faults_->watch({}); }

  std::string torn_tail() const override { return torn_tail_; }

  SubjectToken token_for(std::string_view person) override {
    if (person.empty()) return {};
    OTA_ASSERT(person.size() <= limits::kPersonBytes);
    {
      const std::shared_lock lock(mutex_);
      if (const auto token = find(person)) return *token;
    }
    const std::unique_lock lock(mutex_);
    if (const auto token = find(person)) return *token;  // another thread was faster
    const SubjectToken token = unused_token();
    rocksdb::WriteBatch row;
    must("write", row.Put(token_key(token), slice(person)));
    write_made(row, 1);
    index_.emplace(hash_of(person), token);
    return token;
  }

  std::vector<SubjectToken> tokens_for(const std::vector<std::string>& persons) override {
    std::vector<SubjectToken> tokens(persons.size());
    std::vector<std::size_t> unknown;
    {
      const std::shared_lock lock(mutex_);
      for (std::size_t i = 0; i < persons.size(); ++i) {
        OTA_ASSERT(persons[i].size() <= limits::kPersonBytes);
        if (persons[i].empty()) continue;
        if (const auto token = find(persons[i])) {
          tokens[i] = *token;
        } else {
          unknown.push_back(i);
        }
      }
    }
    if (!unknown.empty()) make_tokens(persons, unknown, tokens);
    return tokens;
  }

  std::optional<SubjectToken> known_token(std::string_view person) const override {
    const std::shared_lock lock(mutex_);
    return person.empty() ? std::nullopt : find(person);
  }

  std::optional<std::string> person(SubjectToken token) const override {
    const std::shared_lock lock(mutex_);
    std::string person;
    if (token.empty() || !get(token_key(token), person)) return std::nullopt;
    return person;
  }

  void with_database(const std::function<void(rocksdb::DB&)>& use) const override {
    const std::shared_lock lock(opened_);
    use(database());
  }

  void erase(SubjectToken token) override {
    const std::unique_lock nobody_copies(opened_);  // first: while it waits others go on
    const std::unique_lock lock(mutex_);
    std::string person;
    if (!token.empty() && get(token_key(token), person)) {
      rocksdb::WriteBatch batch;
      must("write", batch.Delete(token_key(token)));
      must("write", batch.Put(slice(kErasingKey), {}));
      must_write(database().Write(durable(), &batch));
      forget(person, token);
      scrub_due_ = true;
    }
    if (scrub_due_) scrub();
  }

  void erase_leftovers() override {
    const std::unique_lock nobody_copies(opened_);
    const std::unique_lock lock(mutex_);
    if (scrub_due_ || has_aside_directories(directory_)) scrub();
  }

  bool is_erasure_due() const override {
    const std::shared_lock lock(mutex_);
    return scrub_due_;
  }

 private:
  rocksdb::DB& database() const {
    if (!database_) fail("use", "it could not be opened again after an erasure");
    return *database_;
  }

  [[noreturn]] void fail(std::string_view doing, std::string_view why) const {
    throw std::runtime_error(
        fmt::format("cannot {} the {} in {}: {}", doing, kSubjectsName, directory_.string(), why));
  }
  void stop(const std::string& why) const noexcept { stopped_.stop(options_.fail_stop, why); }
  void must_write(const rocksdb::Status& status) const {
    if (status.ok()) return;
    stop(fmt::format("the {} in {} cannot be written: {}", kSubjectsName, directory_.string(), status.ToString()));
    fail("write", status.ToString());
  }
  // The rows of some new tokens, and how many there were with them: durable and noted when it returns.
  void write_made(rocksdb::WriteBatch& rows, std::uint64_t count) {
    std::string made;
    append_be64(made, made_ + count);
    must("write", rows.Put(slice(kMadeKey), made));
    must_write(database().Write(durable(), &rows));
    made_ += count;
    write_note();
  }
  void write_note() {
    try {
      note_->write(subjects_note(directory_, database(), made_));
    } catch (const std::system_error& error) {
      if (may_pass(error)) return;  // the next name writes it
      stop(error.what());
      throw;
    } catch (const std::exception& fault) {
      stop(fault.what());
      throw;
    }
  }
  void must(std::string_view doing, const rocksdb::Status& status) const {
    if (!status.ok()) fail(doing, status.ToString());
  }

  bool get(std::string_view key, std::string& value) const {
    const rocksdb::Status status = database().Get({}, slice(key), &value);
    if (status.IsNotFound()) return false;
    must("read", status);
    return true;
  }

  void open_database() {
    auto opened = open_subjects(directory_, options_.env, faults_);
    database_ = std::move(opened.db);
    if (opened.torn_tail) torn_tail_ = opened.torn_tail->text();
  }

  void check_format(bool is_new) {
    std::string format;
    if (get(kFormatKey, format)) {
      if (format != kFormat) fail("open", fmt::format("it has format {}, this version knows format {}", format, kFormat));
      return;
    }
    const std::unique_ptr<rocksdb::Iterator> rows(database().NewIterator({}));
    rows->SeekToFirst();
    must("read", rows->status());
    if (!is_new && rows->Valid()) fail("open", "the directory holds another database");
    must_write(database().Put(durable(), slice(kFormatKey), slice(kFormat)));
  }

  void load_index() {
    const std::unique_ptr<rocksdb::Iterator> rows(database().NewIterator({}));
    for (rows->Seek({&kTokenPrefix, 1}); rows->Valid(); rows->Next()) {
      SubjectToken token;
      const rocksdb::Slice key = rows->key();
      if (key[0] != kTokenPrefix) break;
      if (key.size() != 1 + token.bytes.size()) fail("read", "a token is damaged");
      std::memcpy(token.bytes.data(), key.data() + 1, token.bytes.size());
      index_.emplace(hash_of(view(rows->value())), token);
    }
    must("read", rows->status());
  }

  std::optional<SubjectToken> find(std::string_view person) const {
    std::string found;
    const auto [begin, end] = index_.equal_range(hash_of(person));
    for (auto entry = begin; entry != end; ++entry) {
      if (get(token_key(entry->second), found) && found == person) return entry->second;
    }
    return std::nullopt;
  }

  // For those at `wanted`, one row each and one sync for all; whom another thread has made meanwhile is found.
  void make_tokens(const std::vector<std::string>& persons, const std::vector<std::size_t>& wanted,
                   std::vector<SubjectToken>& tokens) {
    const std::unique_lock lock(mutex_);
    rocksdb::WriteBatch rows;
    std::unordered_map<std::string_view, SubjectToken> made;
    for (const std::size_t i : wanted) {
      if (const auto token = find(persons[i])) {
        tokens[i] = *token;
        continue;
      }
      const auto [entry, is_new] = made.try_emplace(persons[i]);
      if (is_new) {
        entry->second = unused_token();
        must("write", rows.Put(token_key(entry->second), persons[i]));
      }
      tokens[i] = entry->second;
    }
    if (made.empty()) return;
    write_made(rows, made.size());
    for (const auto& [person, token] : made) index_.emplace(hash_of(person), token);
  }

  void forget(std::string_view person, SubjectToken token) {
    const auto [begin, end] = index_.equal_range(hash_of(person));
    for (auto entry = begin; entry != end; ++entry) {
      if (entry->second == token) {
        index_.erase(entry);
        return;
      }
    }
  }

  SubjectToken unused_token() const {
    SubjectToken token;
    std::string taken;
    do {
      const int filled = RAND_bytes(token.bytes.data(), static_cast<int>(token.bytes.size()));
      if (filled != 1) fail("write", "there are no random numbers");
    } while (token.empty() || get(token_key(token), taken));
    return token;
  }

  // Leaves no copy of a deleted name: the memtable goes to a table, all tables are written anew,
  // and opening again starts a new WAL and MANIFEST and deletes the files that nothing refers to. What was kept aside of a damaged
  // WAL holds names, too. What somebody who looks for damage has copied of it goes when they are done; in case they are killed
  // before, the next erasure or start does it all once more.
  void scrub() {
    must("flush", database().Flush({}));
    rocksdb::CompactRangeOptions everything;
    everything.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    must("compact", database().CompactRange(everything, nullptr, nullptr));
    database_.reset();
    OTA_FAULT("subjects.reopens");
    try {
      open_database();
    } catch (const std::exception& fault) {
      stop(fmt::format("the {} in {} cannot be opened again after an erasure: {}", kSubjectsName, directory_.string(), fault.what()));
      throw;
    }
    remove_aside_directories(directory_);
    scrub_due_ = remove_left_scratch(directory_);
    if (!scrub_due_) must_write(database().Delete(durable(), slice(kErasingKey)));
    write_note();
  }

  const std::filesystem::path directory_;
  Options options_;
  const std::shared_ptr<BackgroundFaults> faults_;
  mutable FailStop stopped_;
  mutable std::shared_mutex opened_;  // exclusive: the database is closed and opened again. Taken before the other
  mutable std::shared_mutex mutex_;   // of what it holds
  std::string torn_tail_;
  std::unique_ptr<rocksdb::DB> database_;
  std::unordered_multimap<std::size_t, SubjectToken> index_;  // hash of the person -> token
  std::uint64_t made_ = 0;            // tokens, ever
  std::unique_ptr<AcknowledgedFile> note_;
  bool scrub_due_ = false;
};

}  // namespace

std::unique_ptr<Subjects> Subjects::open(const std::filesystem::path& directory) { return open(directory, Options()); }

std::unique_ptr<Subjects> Subjects::open(const std::filesystem::path& directory, const Options& options) {
  return std::make_unique<RocksSubjects>(directory, options);
}

}  // namespace ota::eventstore
