// The rows of subjects:
//
//   't' | token, 8 bytes   -> the person
//   'm' | "format"         -> 1
//   'm' | "erasing"        -> nothing; there while a deleted person may still be in old files
//
// A person is never in a key, since RocksDB copies keys into its MANIFEST, and a hash of a name
// that can be guessed is a name too. The way from person to token is therefore an index in memory,
// built at open: ~50 bytes a person, and a hash only, which the row confirms.
#include "eventstore/subjects.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <rocksdb/db.h>

#include <shared_mutex>
#include <stdexcept>
#include <unordered_map>

#include "eventstore/assert.hpp"
#include "eventstore/database.hpp"
#include "eventstore/directory.hpp"
#include "eventstore/limits.hpp"

namespace ota::eventstore {
namespace {

constexpr std::string_view kWhat = "subjects database";
constexpr std::string_view kFormatKey = "mformat";
constexpr std::string_view kFormat = "1";
constexpr std::string_view kErasingKey = "merasing";
constexpr char kTokenPrefix = 't';

rocksdb::Options options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = std::size_t{4} << 20;
  options.recycle_log_file_num = 0;  // a recycled file would keep names
  options.max_background_jobs = 2;
  options.keep_log_file_num = 2;
  options.info_log_level = rocksdb::WARN_LEVEL;
  return options;
}

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
  explicit RocksSubjects(std::filesystem::path directory) : directory_(std::move(directory)) {
    const DirectoryState state = prepare_directory(directory_, kWhat);
    open_database();
    check_format(state);
    load_index();
    std::string nothing;
    scrub_due_ = get(kErasingKey, nothing);
    if (scrub_due_) scrub();
  }

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
    must("write", database().Put(durable(), token_key(token), slice(person)));
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
    const std::unique_lock lock(mutex_);
    use(database());
  }

  void erase(SubjectToken token) override {
    const std::unique_lock lock(mutex_);
    std::string person;
    if (!token.empty() && get(token_key(token), person)) {
      rocksdb::WriteBatch batch;
      must("write", batch.Delete(token_key(token)));
      must("write", batch.Put(slice(kErasingKey), {}));
      must("write", database().Write(durable(), &batch));
      forget(person, token);
      scrub_due_ = true;
    }
    if (scrub_due_) scrub();
  }

 private:
  rocksdb::DB& database() const {
    if (!database_) fail("use", "it could not be opened again after an erasure");
    return *database_;
  }

  [[noreturn]] void fail(std::string_view doing, std::string_view why) const {
    throw std::runtime_error(
        fmt::format("cannot {} the {} in {}: {}", doing, kWhat, directory_.string(), why));
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
    rocksdb::DB* raw = nullptr;
    check_opened(rocksdb::DB::Open(options(), directory_.string(), &raw), directory_, kWhat);
    database_.reset(raw);
  }

  void check_format(DirectoryState state) {
    std::string format;
    if (get(kFormatKey, format)) {
      if (format != kFormat) {
        fail("open",
             fmt::format("it has format {}, this version knows format {}", format, kFormat));
      }
      return;
    }
    const std::unique_ptr<rocksdb::Iterator> rows(database().NewIterator({}));
    rows->SeekToFirst();
    must("read", rows->status());
    if (state == DirectoryState::kHasDatabase && rows->Valid()) {
      fail("open", "the directory holds another database");
    }
    must("write", database().Put(durable(), slice(kFormatKey), slice(kFormat)));
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
    must("write", database().Write(durable(), &rows));
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
  // and opening again starts a new WAL and MANIFEST and deletes the files that nothing refers to.
  void scrub() {
    must("flush", database().Flush({}));
    rocksdb::CompactRangeOptions everything;
    everything.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    must("compact", database().CompactRange(everything, nullptr, nullptr));
    database_.reset();
    open_database();
    must("write", database().Delete(durable(), slice(kErasingKey)));
    scrub_due_ = false;
  }

  const std::filesystem::path directory_;
  mutable std::shared_mutex mutex_;
  std::unique_ptr<rocksdb::DB> database_;
  std::unordered_multimap<std::size_t, SubjectToken> index_;  // hash of the person -> token
  bool scrub_due_ = false;
};

}  // namespace

std::unique_ptr<Subjects> Subjects::open(const std::filesystem::path& directory) {
  return std::make_unique<RocksSubjects>(directory);
}

}  // namespace ota::eventstore
