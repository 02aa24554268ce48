// otactl log repair: what is lost of a damaged log, and the log without it
#include <fmt/format.h>

#include <exception>
#include <memory>

#include "eventstore/repair.hpp"
#include "tools/otactl/event_line.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/log_directory.hpp"
#include "tools/otactl/session.hpp"

namespace ota::ctl {
namespace {

using eventstore::RepairReport;

std::string lost_text(const RepairReport& report) {
  if (report.events_lost() == 0) return "no event that the rest of the log knows of";
  return fmt::format("events {} to {}", report.head.value + 1, report.newest.value);
}

std::string repair_text(const RepairReport& report, bool applied) {
  std::string text;
  if (!report.damage.empty()) text += fmt::format("damage   {}\n", report.damage);
  text += fmt::format("stays    events 1 to {}\n", report.head.value);
  text += fmt::format("lost     {}\n", lost_text(report));
  text += "         and what the damaged records held besides: snapshots, and commands of the last 24 hours, which may be\n"
          "         carried out again if they are repeated\n";
  if (!applied) return text + "Nothing was changed. With --apply it is.\n";
  if (!report.kept_in.empty()) text += fmt::format("kept     the files as they were, in {}\n", report.kept_in.string());
  return text + "The log is repaired. Verify it: otactl audit verify\n";
}

nlohmann::json repair_json(const RepairReport& report, bool applied) {
  return {{"damage", report.damage},       {"head", report.head.value},          {"newest", report.newest.value},
          {"events_lost", report.events_lost()}, {"kept_in", report.kept_in.string()}, {"applied", applied}};
}

}  // namespace

void add_log_repair(CLI::App& log, Session& session) {
  struct Request {
    std::string directory;
    bool apply = false;
  };
  CLI::App* command = add_command(log, "repair", "What is lost of a log whose write-ahead log is damaged; with --apply: the log without it");
  const auto request = std::make_shared<Request>();
  command->add_option("DIRECTORY", request->directory, "A data directory or its log; its service is stopped")
      ->required()
      ->check(CLI::ExistingDirectory);
  command->add_flag("--apply", request->apply, "Do it; the files as they were are kept");
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient&) {
      try {
        const auto directory = log_in(request->directory);
        const auto report = request->apply ? eventstore::repair_log(directory) : eventstore::examine_log(directory);
        if (!report) {
          fmt::print("{}", session.json ? line_of(nullptr) : "There is nothing to repair.\n");
          return 0;
        }
        fmt::print("{}", session.json ? line_of(repair_json(*report, request->apply)) : repair_text(*report, request->apply));
        return request->apply ? 0 : kExitFailed;
      } catch (const std::exception& fault) {
        throw Failure(kExitFailed, fault.what());
      }
    };
  });
}

}  // namespace ota::ctl
