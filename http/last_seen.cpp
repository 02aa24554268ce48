#include "http/last_seen.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <system_error>
#include <vector>

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

// What is kept: the kind of file, since, the log's head, how many; then each that was seen as ordinal, time and address.
// Of this machine's byte order: it is read again where it was written.
constexpr std::uint64_t kKind = 0x314e4545534d5453ULL;
struct KeptHead {
  std::uint64_t kind = kKind;
  std::int64_t since_us = 0;
  std::uint64_t head = 0;
  std::uint64_t entries = 0;
};
struct KeptEntry {
  std::int64_t at_us = 0;
  Address address{};
  std::uint32_t ordinal = 0;
  std::uint32_t unused = 0;
};
static_assert(sizeof(KeptHead) == 32 && sizeof(KeptEntry) == 32);

template <class T>
void write(std::ostream& out, const T* values, std::size_t count) {
  out.write(reinterpret_cast<const char*>(values), static_cast<std::streamsize>(count * sizeof(T)));  // NOLINT(*-reinterpret-cast)
}
template <class T>
bool read(std::istream& in, T* values, std::size_t count) {
  in.read(reinterpret_cast<char*>(values), static_cast<std::streamsize>(count * sizeof(T)));  // NOLINT(*-reinterpret-cast)
  return in.good();
}

struct Kept {
  KeptHead summary;
  std::vector<KeptEntry> entries;
};
// Empty: there is none, it is damaged, or it is of a longer log than this one.
std::optional<Kept> read_kept(const std::filesystem::path& file, std::uint64_t head) {
  std::error_code none;
  const auto size = std::filesystem::file_size(file, none);
  std::ifstream in(file, std::ios::binary);
  Kept kept;
  if (none || !read(in, &kept.summary, 1) || kept.summary.kind != kKind || kept.summary.head > head) return std::nullopt;
  const auto rest = size - sizeof(KeptHead);
  if (rest % sizeof(KeptEntry) != 0 || rest / sizeof(KeptEntry) != kept.summary.entries) return std::nullopt;
  kept.entries.resize(kept.summary.entries);
  if (!kept.entries.empty() && !read(in, kept.entries.data(), kept.entries.size())) return std::nullopt;
  return kept;
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
  put(device, {at.time_since_epoch().count(), parsed(address)});
}

void LastSeen::put(domain::Ordinal device, const Entry& entry) {
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

void LastSeen::keep(const std::filesystem::path& file, std::uint64_t head) const {
  KeptHead summary{kKind, since_.time_since_epoch().count(), head, 0};
  std::vector<KeptEntry> entries;
  for (std::uint32_t p = 0; p < kPieces; ++p) {
    auto* piece = pieces_[p].load(std::memory_order_acquire);
    if (!piece) continue;
    const std::lock_guard lock(piece->mutex);
    for (std::uint32_t n = 0; n < kPieceDevices; ++n) {
      const auto& entry = piece->entries[n];
      if (entry.at_us == 0) continue;
      entries.push_back({entry.at_us, entry.address, p * kPieceDevices + n, 0});
    }
  }
  summary.entries = entries.size();
  auto temporary = file;
  temporary += ".new";
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  write(out, &summary, 1);
  write(out, entries.data(), entries.size());
  out.close();
  if (!out) throw std::system_error(errno, std::generic_category(), "cannot write " + temporary.string());
  std::filesystem::rename(temporary, file);
}

bool LastSeen::take_up(const std::filesystem::path& file, std::uint64_t head) {
  const auto kept = read_kept(file, head);
  std::error_code stays;
  std::filesystem::remove(file, stays);
  if (!kept || stays) return false;
  since_ = domain::Time(domain::Duration(kept->summary.since_us));
  for (const auto& entry : kept->entries) {
    if (entry.ordinal < kDevicesMax) put({entry.ordinal}, {entry.at_us, entry.address});
  }
  return true;
}

}  // namespace ota::http
