#include "http/last_seen.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <memory>

namespace ota::http {
namespace {

using Address = std::array<std::uint8_t, 16>;

constexpr std::size_t kMappedBytes = 12;    // of ::ffff:a.b.c.d, before the IPv4 address
constexpr Address kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};

bool is_ipv4(const Address& address) {
  return std::equal(kMapped.begin(), kMapped.begin() + kMappedBytes, address.begin());
}

// Zero if it is none.
Address parsed(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size()) return {};
  std::copy(text.begin(), text.end(), terminated.begin());
  Address address = kMapped;
  if (::inet_pton(AF_INET, terminated.data(), address.data() + kMappedBytes) == 1) return address;
  if (::inet_pton(AF_INET6, terminated.data(), address.data()) == 1) return address;
  return {};
}

std::string text_of(const Address& address) {
  if (address == Address{}) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v4 = is_ipv4(address);
  ::inet_ntop(v4 ? AF_INET : AF_INET6, address.data() + (v4 ? kMappedBytes : 0), text.data(), text.size());
  return text.data();
}

}  // namespace

LastSeen::~LastSeen() {
  for (auto& piece : pieces_) delete piece.load();
}

LastSeen::Piece& LastSeen::piece_of(domain::Ordinal device) {
  auto& slot = pieces_[device.value / kPieceDevices];
  if (auto* piece = slot.load(std::memory_order_acquire)) return *piece;
  auto made = std::make_unique<Piece>();
  Piece* present = nullptr;
  // Another thread may have been faster: then its piece stands.
  if (slot.compare_exchange_strong(present, made.get(), std::memory_order_acq_rel)) return *made.release();
  return *present;
}

void LastSeen::note(domain::Ordinal device, domain::Time at, std::string_view address) {
  if (device.value >= kDevicesMax) return;
  const Entry entry{at.time_since_epoch().count(), parsed(address)};
  auto& piece = piece_of(device);
  const std::lock_guard lock(piece.mutex);
  piece.entries[device.value % kPieceDevices] = entry;
}

std::optional<LastSeen::Sight> LastSeen::find(domain::Ordinal device) const {
  if (device.value >= kDevicesMax) return std::nullopt;
  auto* piece = pieces_[device.value / kPieceDevices].load(std::memory_order_acquire);
  if (!piece) return std::nullopt;
  Entry entry;
  {
    const std::lock_guard lock(piece->mutex);
    entry = piece->entries[device.value % kPieceDevices];
  }
  if (entry.at_us == 0) return std::nullopt;
  return Sight{domain::Time(domain::Duration(entry.at_us)), text_of(entry.address)};
}

}  // namespace ota::http
