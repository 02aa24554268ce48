// How many handlers may wait for bodies at once.
//
// A body that the door has not gathered is read by a handler, and a silent sender keeps it for as
// long as the pace allows. So only some of the handlers may be kept like that: the others go on
// answering everybody else.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

namespace ota::http {

class BodyPlaces {
 public:
  explicit BodyPlaces(std::size_t places) : places_(places) {}
  BodyPlaces(const BodyPlaces&) = delete;
  BodyPlaces& operator=(const BodyPlaces&) = delete;

  // Given back when it is destroyed.
  class Place {
   public:
    explicit Place(BodyPlaces& of) : of_(&of) {}
    Place(Place&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (of_) of_->taken_.fetch_sub(1);
    }

   private:
    BodyPlaces* of_;
  };

  // Empty: all are taken.
  std::optional<Place> take() {
    if (taken_.fetch_add(1) < places_) return std::optional<Place>(std::in_place, *this);
    taken_.fetch_sub(1);
    return std::nullopt;
  }
  std::size_t places() const { return places_; }
  std::size_t taken() const { return taken_.load(); }

 private:
  const std::size_t places_;
  std::atomic<std::size_t> taken_{0};
};

}  // namespace ota::http
