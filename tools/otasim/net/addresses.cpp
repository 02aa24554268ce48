#include "tools/otasim/net/addresses.hpp"

#include <fmt/format.h>
#include <netdb.h>

#include <cstring>
#include <memory>

namespace ota::sim {

const std::vector<SocketAddress>& Addresses::of(const Origin& origin) {
  std::vector<SocketAddress>& found = known_[{origin.host, origin.port}];
  if (!found.empty()) return found;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const std::string port = fmt::format("{}", origin.port);
  if (getaddrinfo(origin.host.c_str(), port.c_str(), &hints, &list) != 0) return found;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner{list, &freeaddrinfo};
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    SocketAddress& address = found.emplace_back();
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.size = entry->ai_addrlen;
  }
  return found;
}

void Addresses::prefer(const Origin& origin, std::size_t index) {
  std::vector<SocketAddress>& all = known_[{origin.host, origin.port}];
  if (index > 0 && index < all.size()) std::swap(all[0], all[index]);
}

}  // namespace ota::sim
