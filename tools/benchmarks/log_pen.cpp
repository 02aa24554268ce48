#include "tools/benchmarks/log_pen.hpp"

#include <future>
#include <stdexcept>

#include "actors/world.hpp"

namespace ota::bench {

LogPen::LogPen(const std::filesystem::path& data_directory, domain::Time begin)
    : now_us_(begin.time_since_epoch().count()) {
  std::filesystem::create_directories(data_directory);
  log_ = eventstore::Log::open(data_directory / "log");
  keys_ = std::make_unique<actors::LogKeys>(log_, data_directory / "keys", /*replace_lost=*/false);
  eventstore::Journal::Options options;
  options.signer = keys_->signer();
  options.clock = [this] {
    return eventstore::Timestamp(std::chrono::microseconds(now_us_.load(std::memory_order_relaxed)));
  };
  journal_ = std::make_unique<eventstore::Journal>(log_, std::vector<eventstore::Tail*>{}, std::move(options));
  keys_->open(*journal_);
  newest_ = log_->head().value;
}

LogPen::~LogPen() { settle(); }

std::vector<eventstore::NewEvent> LogPen::write(const domain::Events& events, std::vector<eventstore::Condition> conditions,
                                                const actors::Meta& meta) {
  auto made = actors::to_append(events, meta);
  eventstore::Append append;
  append.events = made;
  append.conditions = std::move(conditions);
  if (meta.repeatable && meta.command) append.command = {*meta.command, meta.request, meta.status};
  places_.acquire();
  journal_->append(std::move(append), [this, first = newest_ + 1](const eventstore::AppendOutcome& outcome) {
    const auto* committed = std::get_if<eventstore::Committed>(&outcome);
    if (committed == nullptr || committed->first.value != first) failed_ = true;
    places_.release();
  });
  newest_ += made.size();
  return made;
}

void LogPen::keep_snapshot(const std::string& stream, domain::Position at, std::string bytes) {
  settle();  // a snapshot is of what is committed
  journal_->put_snapshot(stream, projections::to_store(at), std::move(bytes));
}

void LogPen::settle() {
  std::promise<void> settled;
  journal_->barrier([&settled](const eventstore::AppendOutcome&) { settled.set_value(); });
  settled.get_future().wait();
}

void LogPen::finish() {
  settle();
  if (failed_ || log_->head().value != newest_) throw std::runtime_error("the log was not written as it was decided");
}

}  // namespace ota::bench
