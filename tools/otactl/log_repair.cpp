// otactl log repair: what is lost of a damaged log, or of the names beside it, and what is left without that
#include <fmt/format.h>

#include <exception>
#include <memory>

#include "eventstore/repair.hpp"
#include "eventstore/subjects_repair.hpp"
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

std::string names_text(const eventstore::SubjectsReport& report, bool applied) {
  std::string text = fmt::format("damage   {}\nstays    {} names\n", report.damage, report.names);
  text += report.lost == 0 ? "lost     names of which nothing else tells\n" : fmt::format("lost     {} names, or more\n", report.lost);
  text += "         whoever has none is shown as an unknown user; a backup may have them\n";
  if (!applied) return text + "Nothing was changed. With --apply it is.\n";
  return text + fmt::format("kept     the files as they were, in {}, until somebody is erased\nThe names are repaired.\n", report.kept_in.string());
}

nlohmann::json names_json(const eventstore::SubjectsReport& report, bool applied) {
  return {{"subjects",
           {{"damage", report.damage}, {"names", report.names}, {"lost", report.lost}, {"kept_in", report.kept_in.string()}, {"applied", applied}}}};
}

// Of the log, and of the names behind its tokens where the data directory is given. True: something is damaged, and still is.
bool repair_all(const Session& session, const std::string& directory, bool apply) {
  const auto log = log_in(directory);
  const auto names = subjects_in(directory);
  auto of_log = eventstore::examine_log(log);
  auto of_names = names.empty() ? std::nullopt : eventstore::examine_subjects(names);
  // Of a sound log a repair says that it was set back: not where the names alone are damaged.
  if (apply && (of_log || !of_names)) of_log = eventstore::repair_log(log);
  if (apply && of_names) of_names = eventstore::repair_subjects(names);
  if (of_log) fmt::print("{}", session.json ? line_of(repair_json(*of_log, apply)) : repair_text(*of_log, apply));
  if (of_names) fmt::print("{}", session.json ? line_of(names_json(*of_names, apply)) : names_text(*of_names, apply));
  if (of_log || of_names) return !apply;
  fmt::print("{}", session.json ? line_of(nullptr) : "There is nothing to repair.\n");
  return false;
}

}  // namespace

void add_log_repair(CLI::App& log, Session& session) {
  struct Request {
    std::string directory;
    bool apply = false;
  };
  CLI::App* command = add_command(log, "repair", "What is lost of a log whose write-ahead log is damaged or short; with --apply: the log without it");
  const auto request = std::make_shared<Request>();
  command->add_option("DIRECTORY", request->directory, "A data directory or its log; its service is stopped")
      ->required()
      ->check(CLI::ExistingDirectory);
  command->add_flag("--apply", request->apply, "Do it; the files as they were are kept");
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient&) {
      try {
        return repair_all(session, request->directory, request->apply) ? kExitFailed : 0;
      } catch (const std::exception& fault) {
        throw Failure(kExitFailed, fault.what());
      }
    };
  });
}

}  // namespace ota::ctl
