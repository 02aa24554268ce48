// The role "hello": httplib as it is, with the settings that make it fast.
//
// As shipped it answers 200-300 requests/s: Nagle's algorithm waits for the peer's delayed
// acknowledgement, and a connection ends after five requests. One thread for each connection is
// what it needs not to starve any.
#include <httplib.h>
#include <signal.h>
#include <unistd.h>

#include <limits>
#include <stdexcept>
#include <thread>

#include "tools/benchmarks/roles.hpp"

namespace ota::bench {

int serve_hello(std::size_t connections) {
  constexpr time_t kKeepAliveS = 3'600;
  constexpr std::size_t kSpareThreads = 4;
  signal(SIGPIPE, SIG_IGN);
  httplib::Server server;
  server.new_task_queue = [connections] {
    return new httplib::ThreadPool(connections + kSpareThreads);
  };
  server.set_tcp_nodelay(true);
  server.set_keep_alive_max_count(std::numeric_limits<std::size_t>::max());
  server.set_keep_alive_timeout(kKeepAliveS);
  server.Get("/hi", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("Hello World!", "text/plain");
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  if (port < 0) throw std::runtime_error("cannot listen on 127.0.0.1");
  std::thread listener([&server] { server.listen_after_bind(); });
  announce_and_wait(port);
  // Its threads may sit in reads of an hour: nothing here needs an orderly end.
  _exit(0);
}

}  // namespace ota::bench
