#include "eventstore/command_index.hpp"

#include <rocksdb/compaction_filter.h>

#include "eventstore/bytes.hpp"
#include "eventstore/database.hpp"
#include "eventstore/limits.hpp"

namespace ota::eventstore {
namespace {

constexpr char kFormat = 1;
constexpr std::size_t kRowBytes = 1 + 32 + 2 + 8 + 8;
constexpr char kAnswerFormat = 2;
constexpr std::size_t kAnswerHeadBytes = 1 + 8;
constexpr char kAnswerMark = 'a';

void append_time(std::string& row, Timestamp time) {
  append_be64(row, static_cast<std::uint64_t>(time.time_since_epoch().count()));
}
Timestamp load_time(const char* bytes) {
  return Timestamp{std::chrono::microseconds(static_cast<std::int64_t>(load_be64(bytes)))};
}

// Of a row of either kind.
std::optional<Timestamp> written_at(std::string_view row) {
  if (const auto record = decode_command(row)) return record->time;
  if (const auto kept = decode_answer(row)) return kept->written;
  return std::nullopt;
}

class ForgetOld : public rocksdb::CompactionFilter {
 public:
  explicit ForgetOld(Timestamp now) : now_(now) {}
  const char* Name() const override { return "ota.forget_old_commands"; }
  bool Filter(int /*level*/, const rocksdb::Slice& /*key*/, const rocksdb::Slice& value,
              std::string* /*new_value*/, bool* /*value_changed*/) const override {
    const auto written = written_at(view(value));
    return written && is_forgotten(*written, now_);
  }

 private:
  Timestamp now_;
};

class ForgetOldFactory : public rocksdb::CompactionFilterFactory {
 public:
  explicit ForgetOldFactory(std::shared_ptr<const Head> head) : head_(std::move(head)) {}
  const char* Name() const override { return "ota.forget_old_commands"; }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& /*context*/) override {
    return std::make_unique<ForgetOld>(head_->time());
  }

 private:
  std::shared_ptr<const Head> head_;
};

}  // namespace

std::string encode_command(const CommandRecord& record) {
  std::string row(1, kFormat);
  row.append(reinterpret_cast<const char*>(record.request.data()), record.request.size());
  row.push_back(static_cast<char>(record.status >> 8));
  row.push_back(static_cast<char>(record.status & 0xff));
  append_be64(row, record.position.value);
  append_time(row, record.time);
  return row;
}

std::optional<CommandRecord> decode_command(std::string_view row) {
  if (row.size() != kRowBytes || row.front() != kFormat) return std::nullopt;
  CommandRecord record;
  std::memcpy(record.request.data(), row.data() + 1, record.request.size());
  const auto byte = [row](std::size_t at) { return static_cast<std::uint8_t>(row[at]); };
  record.status = static_cast<std::uint16_t>(byte(33) << 8 | byte(34));
  record.position = {load_be64(row.data() + 35)};
  record.time = load_time(row.data() + 43);
  return record;
}

bool is_forgotten(Timestamp written, Timestamp now) { return written < now - limits::kCommandMemory; }

std::string answer_key(const CommandId& id) { return std::string(command_key(id)) + kAnswerMark; }

std::string encode_answer(Timestamp written, std::string_view answer) {
  std::string row(1, kAnswerFormat);
  append_time(row, written);
  row.append(answer);
  return row;
}

std::optional<KeptAnswer> decode_answer(std::string_view row) {
  if (row.size() < kAnswerHeadBytes || row.front() != kAnswerFormat) return std::nullopt;
  return KeptAnswer{load_time(row.data() + 1), row.substr(kAnswerHeadBytes)};
}

std::shared_ptr<rocksdb::CompactionFilterFactory> forget_old_commands(
    std::shared_ptr<const Head> head) {
  return std::make_shared<ForgetOldFactory>(std::move(head));
}

}  // namespace ota::eventstore
