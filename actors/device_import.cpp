#include "actors/device_import.hpp"

#include <condition_variable>
#include <unordered_map>

#include "actors/import_item.hpp"
#include "actors/service.hpp"
#include "actors/world.hpp"
#include "eventstore/limits.hpp"

namespace ota::actors {
namespace {

// Devices that are looked up and decided together.
struct Chunk {
  Chunk() { items.reserve(limits::kImportLines); }
  std::vector<ImportItem> items;
  std::size_t lines = 0;
  std::size_t bytes = 0;
  std::optional<domain::Result<std::vector<domain::Ordinal>>> ordinals;   // for those that are not here, in their order
};

// One append, and whom it is about.
struct Batch {
  std::vector<ImportItem> items;
  std::size_t bytes = 0;
  eventstore::Append append;
  std::optional<eventstore::AppendOutcome> outcome;
};

// What others have done for the importing thread. Shared with the callbacks, which may outlive the import.
struct Inbox {
  std::mutex mutex;
  std::condition_variable filled;
  std::vector<std::shared_ptr<Chunk>> numbered;
  std::vector<std::shared_ptr<Batch>> committed;   // or refused

  template <class Entry>
  void put(std::vector<Entry> Inbox::*box, Entry entry) {
    {
      const std::lock_guard lock(mutex);
      (this->*box).push_back(std::move(entry));
    }
    filled.notify_one();
  }
};

// About what a line takes in the log.
std::size_t bytes_of(const ImportLine& line) {
  std::size_t bytes = line.device.value.size();
  for (const auto& [key, value] : line.change.values) bytes += key.size() + value.size();
  for (const auto& key : line.change.removed) bytes += key.size();
  if (line.change.groups) {
    for (const auto& group : *line.change.groups) bytes += group.size();
  }
  return bytes;
}

std::size_t bytes_of(const eventstore::NewEvent& event) {
  std::size_t bytes = event.stream.size() + event.payload.size() + event.origin.correlation.size();
  for (const auto& tag : event.tags) bytes += tag.size();
  return bytes;
}

domain::DomainError unavailable(std::string why) {
  return {domain::ErrorCode::kUnavailable, std::move(why), {}, {}, {}, {}};
}

}  // namespace

struct DeviceImport::Impl {
  Impl(Service& s, World& w, Meta m, OnFailed f)
      : service(s), world(w), meta(std::move(m)), on_failed(std::move(f)), inbox(std::make_shared<Inbox>()) {
    meta.repeatable = false;              // it is many appends, and harmless to repeat by itself
    meta.if_match.reset();
  }

  void add(ImportLine line);
  void hand_out();
  void name_owners(Chunk& chunk);
  void ask_for_ordinals(std::shared_ptr<Chunk> chunk, std::vector<std::string> ids);
  void progress(bool wait);
  void drain();

  void decide(Chunk& chunk);
  void put(ImportItem item, std::vector<eventstore::NewEvent> events);
  void send_batch();

  void settle(Batch& batch);
  void ask_actors(std::vector<ImportItem> items);
  void close(ImportItem& item);
  void fail(DecidedLine& line, const domain::DomainError& error);
  void count(const DecidedLine& line);

  Service& service;
  World& world;
  Meta meta;
  const OnFailed on_failed;
  ImportCounts counts;

  Chunk open;                             // being filled
  std::size_t open_number = 0;
  struct Place {
    std::size_t chunk = 0;
    std::size_t item = 0;
  };
  std::unordered_map<std::string, Place> in_work;   // every device whose lines are not settled yet
  std::shared_ptr<Batch> batch;           // being filled
  std::size_t outstanding = 0;            // chunks that wait for ordinals, and appends
  const std::shared_ptr<Inbox> inbox;
};

// ---- gathering ---------------------------------------------------------------------------------------------------

void DeviceImport::Impl::add(ImportLine line) {
  const std::size_t bytes = bytes_of(line);
  if (open.lines >= limits::kImportLines || open.bytes + bytes > limits::kImportBytes) hand_out();
  auto [place, fresh] = in_work.try_emplace(line.device.value, Place{open_number, open.items.size()});
  if (!fresh) {
    // Of a device one thing is decided at a time; lines that come close together are decided at once.
    if (place->second.chunk == open_number && open.items[place->second.item].more.size() < limits::kImportLinesOfOne) {
      open.items[place->second.item].more.push_back({std::move(line)});
      ++open.lines;
      open.bytes += bytes;
      return;
    }
    drain();
    in_work.emplace(line.device.value, Place{open_number, open.items.size()});
  }
  open.items.emplace_back(std::move(line));
  ++open.lines;
  open.bytes += bytes;
}

// Looks the gathered devices up and has them decided; ordinals for those that are not here come later.
void DeviceImport::Impl::hand_out() {
  if (open.items.empty()) return;
  auto chunk = std::make_shared<Chunk>(std::exchange(open, {}));
  ++open_number;
  auto why_not = service.disk_refusal();
  if (world.views->is_unfit()) why_not = "read-only since the views are broken: " + world.views->broken();
  if (why_not) {
    const auto error = unavailable(std::move(*why_not));
    for (auto& item : chunk->items) {
      item.each_line([&](DecidedLine& line) { fail(line, error); });
      close(item);
    }
    return;
  }
  while (outstanding >= limits::kImportsInFlight) progress(/*wait=*/true);
  name_owners(*chunk);
  const auto read_at = projections::to_store(world.views->position());
  std::vector<std::string> not_here;
  for (auto& item : chunk->items) {
    item.state.id = item.device();
    // Whoever was ever registered is in the polls' memory.
    if (world.views->polls().find(item.device().value)) {
      if (auto known = world.views->device(item.device())) item.state = std::move(*known);
    }
    item.read_at = std::max(read_at, projections::to_store(item.state.position));
    if (!item.is_here()) not_here.push_back(item.device().value);
  }
  if (not_here.empty()) {
    decide(*chunk);
  } else {
    ask_for_ordinals(std::move(chunk), std::move(not_here));
  }
  progress(/*wait=*/false);
}

void DeviceImport::Impl::name_owners(Chunk& chunk) {
  std::vector<std::string> persons;
  for (auto& item : chunk.items) {
    item.each_line([&](const DecidedLine& line) {
      if (!line.said.person.empty()) persons.push_back(line.said.person);
    });
  }
  if (persons.empty()) return;
  const auto tokens = service.subjects().tokens_for(persons);
  auto token = tokens.begin();
  for (auto& item : chunk.items) {
    item.each_line([&](DecidedLine& line) {
      if (!line.said.person.empty()) line.said.change.owner = projections::to_domain(*token++);
    });
  }
}

void DeviceImport::Impl::ask_for_ordinals(std::shared_ptr<Chunk> chunk, std::vector<std::string> ids) {
  ++outstanding;
  world.ask_ordinals(std::move(ids), [box = inbox, chunk = std::move(chunk)](auto ordinals) {
    chunk->ordinals = std::move(ordinals);
    box->put(&Inbox::numbered, chunk);
  });
}

// Goes on with what others have done. `wait`: for at least one thing, of which there must be one outstanding.
void DeviceImport::Impl::progress(bool wait) {
  std::vector<std::shared_ptr<Chunk>> numbered;
  std::vector<std::shared_ptr<Batch>> committed;
  {
    std::unique_lock lock(inbox->mutex);
    if (wait) inbox->filled.wait(lock, [&] { return !inbox->numbered.empty() || !inbox->committed.empty(); });
    numbered.swap(inbox->numbered);
    committed.swap(inbox->committed);
  }
  outstanding -= numbered.size() + committed.size();
  for (const auto& done : committed) settle(*done);
  for (const auto& chunk : numbered) decide(*chunk);
}

void DeviceImport::Impl::drain() {
  hand_out();
  while (outstanding > 0) progress(/*wait=*/true);
}

// ---- deciding ----------------------------------------------------------------------------------------------------

void DeviceImport::Impl::decide(Chunk& chunk) {
  const auto context = world.context(meta.caller);
  std::size_t next_ordinal = 0;
  for (auto& item : chunk.items) {
    if (!item.is_here()) {
      if (!chunk.ordinals->ok()) {
        item.each_line([&](DecidedLine& line) { fail(line, chunk.ordinals->error()); });
        close(item);
        continue;
      }
      item.ordinal = chunk.ordinals->value()[next_ordinal++];
    }
    std::vector<eventstore::NewEvent> events;
    item.each_line([&](DecidedLine& line) {
      auto decision = actors::decide(item, line, context);
      if (!decision) {
        fail(line, decision.error());
        return;
      }
      auto made = to_append(decision.value(), meta);
      std::move(made.begin(), made.end(), std::back_inserter(events));
    });
    if (events.empty()) {
      close(item);
    } else {
      put(std::move(item), std::move(events));
    }
  }
  send_batch();
}

void DeviceImport::Impl::put(ImportItem item, std::vector<eventstore::NewEvent> events) {
  std::size_t bytes = 0;
  for (const auto& event : events) bytes += bytes_of(event);
  const auto is_full = [&] {
    return batch->append.events.size() + events.size() > eventstore::limits::kAppendEvents ||
           batch->bytes + bytes > limits::kImportAppendBytes;
  };
  if (batch && is_full()) send_batch();
  if (!batch) {
    batch = std::make_shared<Batch>();
    batch->items.reserve(limits::kImportLines);
    batch->append.events.reserve(limits::kImportLines);
    batch->append.conditions.reserve(limits::kImportLines);
  }
  batch->append.conditions.push_back({domain::stream_name(item.device()), item.read_at});
  std::move(events.begin(), events.end(), std::back_inserter(batch->append.events));
  batch->bytes += bytes;
  batch->items.push_back(std::move(item));
}

void DeviceImport::Impl::send_batch() {
  if (!batch) return;
  ++outstanding;
  auto append = std::move(batch->append);
  world.journal->append(std::move(append), [box = inbox, sent = std::exchange(batch, nullptr)](
                                               const eventstore::AppendOutcome& outcome) {
    sent->outcome = outcome;
    box->put(&Inbox::committed, sent);
  });
}

// ---- settling ----------------------------------------------------------------------------------------------------

void DeviceImport::Impl::settle(Batch& done) {
  if (std::holds_alternative<eventstore::Conflict>(*done.outcome)) {
    ask_actors(std::move(done.items));
    return;
  }
  const auto* refused = std::get_if<eventstore::Refused>(&*done.outcome);
  std::vector<std::pair<std::string, domain::Ordinal>> numbered;
  for (auto& item : done.items) {
    if (refused) {
      item.each_line([&](DecidedLine& line) { fail(line, unavailable(refused->why)); });
    } else if (item.ordinal) {
      numbered.emplace_back(item.device().value, *item.ordinal);
    }
    close(item);
  }
  if (!numbered.empty()) world.ordinals_settled(std::move(numbered));
}

// Something else happened to one of these devices while they were decided: now each device decides for itself.
void DeviceImport::Impl::ask_actors(std::vector<ImportItem> items) {
  std::vector<Service::DeviceAsk> asks;
  for (auto& item : items) {
    const auto now = world.views->device(item.device());
    item.state.registered = now.has_value();
    item.each_line([&](const DecidedLine& line) {
      if (line.outcome == ImportOutcome::kFailed) return;
      asks.push_back({item.device(), registration(line.said.change, {}), meta});
      asks.push_back({item.device(), line.said.change, meta});
    });
  }
  auto answers = service.devices(std::move(asks));
  auto answer = answers.begin();
  for (auto& item : items) {
    item.each_line([&](DecidedLine& line) {
      if (line.outcome == ImportOutcome::kFailed) return;
      const auto& registered = *answer++;
      const auto& changed = *answer++;
      if (!registered || !changed) {
        fail(line, registered ? changed.error() : registered.error());
      } else if (registered.value().wrote) {
        line.outcome = item.state.registered ? ImportOutcome::kReturned : ImportOutcome::kRegistered;
      } else {
        line.outcome = changed.value().wrote ? ImportOutcome::kChanged : ImportOutcome::kUnchanged;
      }
    });
    close(item);
  }
}

void DeviceImport::Impl::fail(DecidedLine& line, const domain::DomainError& error) {
  if (line.outcome == ImportOutcome::kFailed) return;
  line.outcome = ImportOutcome::kFailed;
  if (on_failed) on_failed(line.said.number, error);
}

// Nothing more happens to these lines.
void DeviceImport::Impl::close(ImportItem& item) {
  item.each_line([&](const DecidedLine& line) { count(line); });
  in_work.erase(item.device().value);
}

void DeviceImport::Impl::count(const DecidedLine& line) {
  switch (line.outcome) {
    case ImportOutcome::kRegistered: ++counts.registered; break;
    case ImportOutcome::kChanged: ++counts.changed; break;
    case ImportOutcome::kUnchanged: ++counts.unchanged; break;
    case ImportOutcome::kReturned: ++counts.returned; break;
    case ImportOutcome::kFailed: ++counts.failed; break;
  }
}

// ---- the importer ------------------------------------------------------------------------------------------------

DeviceImport::DeviceImport(Service& service, World& world, Meta meta, OnFailed on_failed)
    : impl_(std::make_unique<Impl>(service, world, std::move(meta), std::move(on_failed))) {}
DeviceImport::~DeviceImport() = default;

void DeviceImport::add(ImportLine line) { impl_->add(std::move(line)); }

ImportCounts DeviceImport::finish() {
  impl_->drain();
  return impl_->counts;
}

}  // namespace ota::actors
