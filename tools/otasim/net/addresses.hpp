// Where a host is: its socket addresses, looked up once.
//
// A look-up blocks the loop. A fleet speaks to the service and perhaps to where downloads are, so
// it happens once or twice in a run.
#pragma once

#include <sys/socket.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tools/otasim/net/url.hpp"

namespace ota::sim {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

class Addresses {
 public:
  // Answers the addresses of a host in the order of preference; none when it has no such name. An
  // unknown name is asked for again the next time.
  const std::vector<SocketAddress>& of(const Origin& origin);

  // Puts an address that was connected to before the others.
  void prefer(const Origin& origin, std::size_t index);

 private:
  using Key = std::pair<std::string, std::uint16_t>;
  std::map<Key, std::vector<SocketAddress>> known_;
};

}  // namespace ota::sim
