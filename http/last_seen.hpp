// When each device was here last, and from where. In memory; kept over a clean stop, lost with a crash.
//
// A table by ordinal, made in pieces as devices come: 24 bytes a device. A poll writes one entry, under the lock of its
// piece, which it shares with few others. Safe from any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "domain/ids.hpp"
#include "domain/words.hpp"

namespace ota::http {

class LastSeen {
 public:
  struct Sight {
    domain::Time at{};
    std::string address;                    // empty: it was none
  };

  // `since`: nothing is known of what was before.
  explicit LastSeen(domain::Time since) : since_(since) {}
  ~LastSeen();
  LastSeen(const LastSeen&) = delete;
  LastSeen& operator=(const LastSeen&) = delete;

  // Notes that the device was here; not kept for ordinals from kDevicesMax on.
  void note(domain::Ordinal device, domain::Time at, std::string_view address);
  std::optional<Sight> find(domain::Ordinal device) const;
  domain::Time since() const { return since_; }

  // Over a clean stop. `head`: of the log that the ordinals are of; what an older one does not know yet is not taken up.
  // take_up() comes before anybody else: it removes the file, so that a crash later finds none that is out of date.
  // False: there is none that can be taken up. keep() throws what cannot be written.
  void keep(const std::filesystem::path& file, std::uint64_t head) const;
  bool take_up(const std::filesystem::path& file, std::uint64_t head);

  static constexpr std::uint32_t kPieceDevices = 4'096;
  static constexpr std::uint32_t kPieces = 8'192;       // 64 KB of pointers
  static constexpr std::uint32_t kDevicesMax = kPieceDevices * kPieces;

 private:
  struct Entry {
    std::int64_t at_us = 0;                 // 0: never
    std::array<std::uint8_t, 16> address{}; // IPv6, or IPv4 as IPv6 maps it; zero: none
  };
  static_assert(sizeof(Entry) == 24);
  struct Piece {
    std::mutex mutex;
    std::array<Entry, kPieceDevices> entries{};
  };
  Piece& piece_of(domain::Ordinal device);
  void put(domain::Ordinal device, const Entry& entry);

  domain::Time since_;
  std::array<std::atomic<Piece*>, kPieces> pieces_{};
};

}  // namespace ota::http
