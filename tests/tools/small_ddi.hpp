// The device protocol for one device, as far as a test needs it: one update from 1.0.0 to 2.0.0.
// Remembers what it was asked, in order.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "tests/tools/net/small_server.hpp"

namespace ota::sim::test {

class SmallDdi {
 public:
  struct Behaviour {
    std::string update = "forced";    // of the deployment
    bool cancels = false;             // instead of offering it
    bool asks_after_success = false;  // for the attributes, until they are of the new version
    int polls_without_offer = 0;      // after the bytes were asked for
    std::string part_of_link;         // what stands where the host of links is; empty: the host
  };
  explicit SmallDdi(Behaviour behaviour);

  std::string url() const { return server_.url(""); }

  // "PUT configData 1.0.0", "GET deploymentBase", "HEAD file", "POST closed/success", ...; no polls.
  std::vector<std::string> calls() const;
  // The numbers of the connections that they came on.
  std::vector<int> connections() const;
  // Heads of all requests.
  std::vector<std::string> heads() const;
  // How many other connections were open when the request with this number came.
  std::vector<int> others_open() const;

 private:
  Reply answer(const SmallServer::Asked& asked);
  static std::string file(const std::string& head);
  std::string poll();
  std::string deployment() const;
  void note(const SmallServer::Asked& asked, const std::string& call);

  const Behaviour behaviour_;
  mutable std::mutex mutex_;
  std::vector<std::string> calls_;
  std::vector<int> connections_;
  std::vector<std::string> heads_;
  std::vector<int> others_open_;
  bool wants_attributes_ = true;
  bool over_ = false;
  int polls_without_offer_ = 0;     // still
  SmallServer server_;  // last: it answers from the start
};

}  // namespace ota::sim::test
