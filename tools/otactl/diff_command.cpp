// otactl diff --from MOMENT [--to MOMENT] [--campaign ID | --device ID | --update ID]: what changed in between.
#include <memory>

#include "tools/otactl/diff_text.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {

void add_diff_command(CLI::App& app, Session& session) {
  struct Request {
    std::string from, to, campaign, device, update;
  };
  CLI::App* command = add_command(app, "diff", "What changed between two moments: times, or positions of the log");
  const auto request = std::make_shared<Request>();
  command->add_option("--from", request->from, "2026-01-31T12:00:00Z, or a position")->required();
  command->add_option("--to", request->to, "The present unless it is said");
  auto* campaign = command->add_option("--campaign", request->campaign, "Of this campaign alone");
  auto* device = command->add_option("--device", request->device, "Of this device alone")->excludes(campaign);
  command->add_option("--update", request->update, "Of this update alone")->excludes(campaign)->excludes(device);
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient& client) {
      const Reply reply = client.get(with_query("/diff", {{"from", request->from},
                                                          {"to", request->to},
                                                          {"campaign_id", request->campaign},
                                                          {"device_id", request->device},
                                                          {"update_id", request->update}}));
      session.print(reply, diff_text);
      return 0;
    };
  });
}

}  // namespace ota::ctl
