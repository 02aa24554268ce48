// otactl log drop-snapshots: the log without what nothing proves
#include <fmt/format.h>

#include <exception>
#include <memory>

#include "eventstore/drop_snapshots.hpp"
#include "tools/otactl/event_line.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/log_directory.hpp"
#include "tools/otactl/output.hpp"
#include "tools/otactl/session.hpp"

namespace ota::ctl {

void add_log_drop_snapshots(CLI::App& log, Session& session) {
  CLI::App* command = add_command(log, "drop-snapshots", "Delete all snapshots: whatever they held is folded from the events anew");
  const auto directory = std::make_shared<std::string>();
  command->add_option("DIRECTORY", *directory, "A data directory or its log; its service is stopped")
      ->required()
      ->check(CLI::ExistingDirectory);
  command->callback([&session, directory] {
    session.action = [&session, directory](ServiceClient&) {
      try {
        const auto dropped = eventstore::drop_snapshots(log_in(*directory));
        if (!dropped.torn_tail.empty()) note("{}\n", dropped.torn_tail);
        fmt::print("{}", session.json ? line_of(nlohmann::json{{"dropped", dropped.count}})
                                      : fmt::format("{} snapshots were dropped.\n", dropped.count));
        return 0;
      } catch (const std::exception& fault) {
        throw Failure(kExitFailed, fault.what());
      }
    };
  });
}

}  // namespace ota::ctl
