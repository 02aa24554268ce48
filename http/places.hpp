// A bounded number of something that peers can make the service hold: handlers that wait for a body or for room in a
// socket, bytes of answers that wait for a reader.
//
// A silent peer keeps what it holds for as long as the pace allows. So only so much may be kept like that: the rest
// goes on serving everybody else.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

namespace ota::http {

class Places {
 public:
  explicit Places(std::size_t places) : places_(places) {}
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  // Given back when it is destroyed.
  class Place {
   public:
    Place(Places& of, std::size_t count) : of_(&of), count_(count) {}
    Place(Place&& other) noexcept : of_(std::exchange(other.of_, nullptr)), count_(other.count_) {}
    Place& operator=(Place&&) = delete;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (of_) of_->taken_.fetch_sub(count_);
    }

   private:
    Places* of_;
    std::size_t count_;
  };

  // Empty: not so many are left.
  std::optional<Place> take(std::size_t count = 1) {
    if (taken_.fetch_add(count) + count <= places_) return std::optional<Place>(std::in_place, *this, count);
    taken_.fetch_sub(count);
    return std::nullopt;
  }
  std::size_t places() const { return places_; }
  std::size_t taken() const { return taken_.load(); }

 private:
  const std::size_t places_;
  std::atomic<std::size_t> taken_{0};
};

}  // namespace ota::http
