#include "domain/events.hpp"

namespace ota::domain {
namespace {

template <class... Es>
EventVariant made(std::variant<Es...>*, std::size_t alternative, void* moved_from) {
  using Make = EventVariant (*)(void*);
  static constexpr Make kMakes[] = {
      [](void* event) { return EventVariant(std::in_place_type<Es>, std::move(*static_cast<Es*>(event))); }...};
  return kMakes[alternative](moved_from);
}

}  // namespace

Event::Event() = default;
Event::Event(const Event& other) = default;
Event::Event(Event&& other) noexcept = default;
Event& Event::operator=(const Event& other) = default;
Event& Event::operator=(Event&& other) noexcept = default;
Event::~Event() = default;
Event::Event(std::size_t alternative, void* moved_from)
    : EventVariant(made(static_cast<EventVariant*>(nullptr), alternative, moved_from)) {}

}  // namespace ota::domain
