// Requests that are many commands: handed in behind one another and not waited for one by one, so that they share commits.
#include <condition_variable>

#include "actors/awaited.hpp"
#include "actors/limits.hpp"
#include "actors/service.hpp"

namespace ota::actors {

std::vector<Answer> Service::devices(std::vector<DeviceAsk> asks) {
  struct Window {
    explicit Window(std::size_t size) : answers(size) {}
    std::mutex mutex;
    std::condition_variable moved;
    std::size_t in_flight = 0;
    std::vector<std::optional<Answer>> answers;
  };
  const auto window = std::make_shared<Window>(asks.size());
  const auto wait_for = [&](std::size_t most) {
    std::unique_lock lock(window->mutex);
    window->moved.wait(lock, [&] { return window->in_flight <= most; });
  };
  for (std::size_t i = 0; i < asks.size(); ++i) {
    wait_for(limits::kDevicesAtOnce - 1);
    auto refused = admit();
    if (refused) {
      wait_for(0);  // its own commands may be the ones that are too many
      refused = admit();
    }
    if (refused) {
      window->answers[i] = Answer(std::move(*refused));
      continue;
    }
    {
      const std::lock_guard lock(window->mutex);
      ++window->in_flight;
    }
    hand_in(std::move(asks[i].device), Command(std::move(asks[i].command)), std::move(asks[i].meta), {},
            [window, i](Answer answer) {
              const std::lock_guard lock(window->mutex);
              window->answers[i] = std::move(answer);
              --window->in_flight;
              window->moved.notify_one();
            });
  }
  wait_for(0);
  std::vector<Answer> answers;
  answers.reserve(asks.size());
  for (auto& answer : window->answers) answers.push_back(std::move(*answer));
  return answers;
}

Answer Service::remember(const Meta& meta) {
  if (auto full = refuse_if_full()) return std::move(*full);
  const auto awaited = std::make_shared<Awaited<eventstore::AppendOutcome>>();
  eventstore::Append append;
  append.command = {*meta.command, meta.request, meta.status};
  journal().append(std::move(append), [awaited](const eventstore::AppendOutcome& outcome) { awaited->set(outcome); });
  const auto outcome = awaited->take();
  if (const auto* committed = std::get_if<eventstore::Committed>(&outcome)) {
    return Done{true, 0, committed->first, {}, {}};
  }
  if (const auto* repeated = std::get_if<eventstore::Repeated>(&outcome)) {
    return Done{false, 0, repeated->earlier.position, repeated->earlier, {}};
  }
  return domain::DomainError{domain::ErrorCode::kUnavailable, "the service is stopping", {}, {}, {}, {}};
}

}  // namespace ota::actors
