#include "support.hpp"

#include <stdlib.h>

namespace ota::eventstore::testing {

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "ota-eventstore-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Seen seen(const RecordedEvent& event) {
  Seen copy;
  copy.position = event.position.value;
  copy.time = event.time;
  copy.stream = event.stream;
  copy.type = event.type;
  copy.tags.assign(event.tags.begin(), event.tags.end());
  copy.payload = event.payload;
  copy.caller = event.caller;
  copy.command = event.command;
  copy.correlation = event.correlation;
  copy.causation = event.causation.value;
  return copy;
}

std::vector<Seen> collect(const std::function<void(const Visitor&)>& read) {
  std::vector<Seen> events;
  read([&events](const RecordedEvent& event) {
    events.push_back(seen(event));
    return true;
  });
  return events;
}

std::vector<std::uint64_t> positions(const std::vector<Seen>& events) {
  std::vector<std::uint64_t> found;
  for (const Seen& event : events) found.push_back(event.position);
  return found;
}

NewEvent event(std::string stream, std::vector<std::string> tags, std::string payload) {
  NewEvent event;
  event.stream = std::move(stream);
  event.type = 7;
  event.tags = std::move(tags);
  event.payload = std::move(payload);
  return event;
}

Append append(std::string stream, std::vector<std::string> tags, std::string payload) {
  Append append;
  append.events.push_back(event(std::move(stream), std::move(tags), std::move(payload)));
  return append;
}

Append append_if(std::vector<Condition> conditions, std::string stream,
                 std::vector<std::string> tags) {
  Append conditional = append(std::move(stream), std::move(tags));
  conditional.conditions = std::move(conditions);
  return conditional;
}

CommandId command_id(std::uint8_t number) {
  CommandId id;
  id.bytes.fill(number);
  return id;
}

AppendOutcome ask(Journal& journal, Append append) {
  std::promise<AppendOutcome> outcome;
  journal.append(std::move(append),
                 [&outcome](const AppendOutcome& decided) { outcome.set_value(decided); });
  return outcome.get_future().get();
}

Committed commit(Journal& journal, Append append) {
  const AppendOutcome outcome = ask(journal, std::move(append));
  REQUIRE(std::holds_alternative<Committed>(outcome));
  return std::get<Committed>(outcome);
}

Committed wait_for_all(Journal& journal) {
  std::promise<Committed> outcome;
  journal.barrier([&outcome](const AppendOutcome& decided) {
    outcome.set_value(std::get<Committed>(decided));
  });
  return outcome.get_future().get();
}

void RecordingTail::on_group(const GroupPtr& group) {
  std::vector<Seen> events;
  for (const RecordedEvent& event : group->events()) events.push_back(seen(event));
  const std::lock_guard lock(mutex_);
  groups_.push_back(std::move(events));
}

std::vector<std::vector<Seen>> RecordingTail::groups() const {
  const std::lock_guard lock(mutex_);
  return groups_;
}

std::vector<Seen> RecordingTail::events() const {
  std::vector<Seen> all;
  for (const auto& group : groups()) all.insert(all.end(), group.begin(), group.end());
  return all;
}

Store::Store(Journal::Options given) : options(std::move(given)) {
  options.clock = clock.function();
  reopen();
}

void Store::reopen() {
  close();
  log = Log::open(directory.path());
  journal = std::make_unique<Journal>(log, std::vector<Tail*>{&tail}, options);
}

void Store::close() {
  journal.reset();
  log.reset();
}

Barricade::Barricade(std::string name) {
  fault::set_hook([this, name = std::move(name)](std::string_view passed) {
    if (passed != name) return;
    std::unique_lock lock(mutex_);
    if (reached_) return;
    reached_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  });
}

Barricade::~Barricade() {
  open();
  fault::set_hook({});
}

void Barricade::wait_until_reached() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return reached_; });
}

void Barricade::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void in_one_group(Journal& journal, const std::function<void()>& ask_for_more) {
  Barricade barricade("journal.before_write");
  journal.append(append("stopper"), {});
  barricade.wait_until_reached();
  ask_for_more();
  barricade.open();
  wait_for_all(journal);
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::string from_hex(std::string_view text) {
  std::string bytes;
  std::string digits;
  for (const char c : text) {
    if (c == ' ') continue;
    digits += c;
    if (digits.size() < 2) continue;
    bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
    digits.clear();
  }
  return bytes;
}

}  // namespace ota::eventstore::testing
