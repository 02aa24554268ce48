#include "actors/directory.hpp"

#include <unordered_map>

#include "actors/messages.hpp"
#include "actors/world.hpp"
#include "eventstore/journal.hpp"

namespace ota::actors {
namespace {

constexpr std::size_t kPendingMax = 65'536;   // entries to look through now and then; some megabytes

struct State {
  std::uint32_t next = 0;
  bool loaded = false;
  // Given, and not known to be in the views. What never comes there (an append that failed) is swept when it grows.
  std::unordered_map<std::string, std::uint32_t> pending;
  static inline const char* name = "directory";
};

// What the views cannot read is an error of this ask; the directory goes on.
template <class Ask, class Work>
void guarded(Ask& ask, const Work& work) {
  try {
    work();
  } catch (const std::exception& e) {
    ask.reply(domain::DomainError{domain::ErrorCode::kUnavailable, e.what(), {}, {}, {}, {}});
  }
}

class Directory {
 public:
  Directory(caf::stateful_actor<State>* self, World& world) : self_(self), world_(world) {}

  // The view knows no ordinal of a deleted id: it gets a new one when it returns (decision 22).
  std::uint32_t ordinal(const std::string& id) {
    load();
    if (const auto known = known_or_given(id)) return *known;
    sweep();
    return give(id);
  }

  std::vector<domain::Ordinal> ordinals(const std::vector<std::string>& ids) {
    std::vector<domain::Ordinal> numbers;
    numbers.reserve(ids.size());
    for (const auto& id : ids) numbers.push_back({ordinal(id)});
    return numbers;
  }

  void settle(const NumbersSettled& settled) {
    auto& pending = self_->state.pending;
    for (const auto& [id, ordinal] : settled.devices) {
      const auto given = pending.find(id);
      if (given != pending.end() && given->second == ordinal.value) pending.erase(given);
    }
  }

  void reserve(const ListAskPtr& ask) {
    load();
    domain::Bitmap set;
    domain::Events events;
    std::size_t bytes = 0;
    std::vector<std::pair<std::string, domain::Ordinal>> given;
    for (const auto& id : ask->devices) {
      if (const auto known = known_or_given(id)) {
        set.add(*known);
      } else {
        // The ids of an event have consecutive numbers, and its size a bound.
        if (events.empty() || bytes > limits::kReserveBytes) {
          events.push_back({domain::DirectoryStream{}, domain::IdsReserved{{self_->state.next}, {}}, std::nullopt});
          bytes = 0;
        }
        std::get<domain::IdsReserved>(events.back().event).devices.push_back(id);
        bytes += id.size();
        const auto number = give(id);
        given.emplace_back(id, domain::Ordinal{number});
        set.add(number);
      }
    }
    if (events.empty()) {
      ask->reply(std::move(set));
      return;
    }
    eventstore::Append append;
    Meta meta = ask->meta;
    meta.repeatable = false;  // the command's one event is the campaign's creation
    append.events = to_append(events, meta);
    world_.journal->append(std::move(append), [ask, set = std::move(set), given = std::move(given),
                                              &world = world_](const eventstore::AppendOutcome& o) mutable {
      if (std::holds_alternative<eventstore::Committed>(o)) {
        world.ordinals_settled(std::move(given));
        ask->reply(std::move(set));
      } else {
        ask->reply(domain::DomainError{domain::ErrorCode::kUnavailable, "the service is stopping", {}, {}, {}, {}});
      }
    });
  }

 private:
  void load() {
    if (self_->state.loaded) return;
    self_->state.next = world_.views->ordinals_given();
    self_->state.loaded = true;
  }
  std::optional<std::uint32_t> known_or_given(const std::string& id) {
    auto& pending = self_->state.pending;
    if (const auto known = world_.views->ordinal_of({id})) {
      pending.erase(id);
      return known->value;
    }
    const auto given = pending.find(id);
    if (given == pending.end()) return std::nullopt;
    if (!is_committed(given->second)) return given->second;
    pending.erase(given);  // it was registered and deleted since: the number is retired
    return std::nullopt;
  }
  std::uint32_t give(const std::string& id) { return self_->state.pending[id] = self_->state.next++; }
  // Which device a number stands for stays readable for ever.
  bool is_committed(std::uint32_t number) const { return world_.views->device_of({number}).has_value(); }
  void sweep() {
    if (self_->state.pending.size() < kPendingMax) return;
    std::erase_if(self_->state.pending, [&](const auto& entry) { return is_committed(entry.second); });
  }

  caf::stateful_actor<State>* self_;
  World& world_;
};

}  // namespace

caf::actor spawn_directory(caf::actor_system& system, World& world) {
  // With an argument: without any, CAF 0.17.6 binds a reference to a null tuple.
  return system.spawn([](caf::stateful_actor<State>* self, World* of) -> caf::behavior {
    auto directory = std::make_shared<Directory>(self, *of);
    return {
        [directory](const OrdinalAskPtr& ask) {
          guarded(*ask, [&] { ask->reply(domain::Ordinal{directory->ordinal(ask->device.value)}); });
        },
        [directory](const NumbersAskPtr& ask) {
          guarded(*ask, [&] { ask->reply(directory->ordinals(ask->devices)); });
        },
        [directory](const NumbersSettled& settled) { directory->settle(settled); },
        [directory](const ListAskPtr& ask) { guarded(*ask, [&] { directory->reserve(ask); }); },
    };
  }, &world);
}

}  // namespace ota::actors
