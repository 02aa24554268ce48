// otactl backup create | list | check | restore
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <thread>

#include "eventstore/backups.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/human.hpp"
#include "tools/otactl/json_cells.hpp"
#include "tools/otactl/log_directory.hpp"
#include "tools/otactl/number_options.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/table.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kBackupLookEvery{200};

std::string backups_text(const json& state) {
  Table table{{{"ID", true}, {"TAKEN"}, {"EVENTS", true}, {"SIZE", true}}};
  for (const auto& one : state["backups"]) {
    table.add({value_text(one["id"]), text::human_time(one.value("taken", "")), value_text(one["head"]),
               text::human_size(one.value("bytes", std::int64_t{0}))});
  }
  auto shown = table.text();
  for (const auto& one : state["backups"]) {
    if (one["head"].is_null()) shown += fmt::format("what backup {} says of itself is damaged: `otactl backup check` tells more\n", value_text(one["id"]));
  }
  if (state.contains("last_error") && state["last_error"].is_string()) {
    shown += "the last one failed: " + text::printable(state["last_error"].get<std::string>()) + "\n";
  }
  return shown;
}

json json_of(const eventstore::BackupInfo& one) {
  return {{"id", one.id}, {"taken", time_text(one.taken)}, {"head", one.is_sound ? json(one.head.value) : json(nullptr)}, {"bytes", one.bytes}};
}
std::string name_of(const eventstore::BackupInfo& one) {
  if (!one.is_sound) return fmt::format("{} of {}, with nobody knows how many events,", one.id, text::human_time(time_text(one.taken)));
  return fmt::format("{} of {}, with at least {} events,", one.id, text::human_time(time_text(one.taken)), one.head.value);
}

json listed(const eventstore::Backups& backups) {
  json all = json::array();
  for (const auto& one : backups.list()) all.push_back(json_of(one));
  return {{"backups", std::move(all)}};
}

// Runs something on files, and puts what goes wrong into a Failure.
int on_files(const std::function<void()>& act) {
  try {
    act();
    return 0;
  } catch (const std::exception& fault) {
    throw Failure(kExitFailed, fault.what());
  }
}

void add_backup_create(CLI::App& backup, Session& session) {
  add_command(backup, "create", "Let the service take one now, and wait for it")->callback([&session] {
    session.action = [&session](ServiceClient& client) {
      auto reply = client.post("/backups", json::object());
      auto state = expect_json(reply);
      while (state["running"].get<bool>()) {
        std::this_thread::sleep_for(kBackupLookEvery);
        reply = client.get("/backups");
        state = expect_json(reply);
      }
      session.print(reply, backups_text);
      return state["last_error"].is_null() ? 0 : kExitFailed;
    };
  });
}

void add_backup_list(CLI::App& backup, Session& session) {
  CLI::App* command = add_command(backup, "list", "The backups of the service, or those in a directory");
  const auto directory = std::make_shared<std::string>();
  command->add_option("DIRECTORY", *directory, "Where they are; without one the service is asked")->check(CLI::ExistingDirectory);
  command->callback([&session, directory] {
    session.action = [&session, directory](ServiceClient& client) {
      if (directory->empty()) {
        session.print(client.get("/backups"), backups_text);
        return 0;
      }
      return on_files([&] {
        const auto all = listed(eventstore::Backups(*directory));
        fmt::print("{}", session.json ? all.dump() + "\n" : backups_text(all));
      });
    };
  });
}

void add_backup_check(CLI::App& backup, Session& session) {
  struct Request {
    std::string directory;
    std::uint32_t id = 0;
  };
  CLI::App* command = add_command(backup, "check", "Compare the checksums of a backup's files");
  const auto request = std::make_shared<Request>();
  command->add_option("DIRECTORY", request->directory, "Where the backups are")->required()->check(CLI::ExistingDirectory);
  take_whole(command->add_option("--id", request->id, "Which one; the newest by itself"), 1, UINT32_MAX);
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient&) {
      return on_files([&] {
        const auto checked = eventstore::Backups(request->directory).check(request->id);
        if (session.json) return fmt::print("{}\n", json_of(checked).dump());
        fmt::print("All files of the backup {} are as they were written.\n", name_of(checked));
      });
    };
  });
}

void add_backup_restore(CLI::App& backup, Session& session) {
  struct Request {
    std::string directory, data;
    std::uint32_t id = 0;
    bool without_newer_names = false;
  };
  CLI::App* command = add_command(backup, "restore", "Write log and subjects of a backup into a data directory that has none");
  const auto request = std::make_shared<Request>();
  command->add_option("DIRECTORY", request->directory, "Where the backups are")->required()->check(CLI::ExistingDirectory);
  command->add_option("DATA", request->data, "The data directory")->required();
  take_whole(command->add_option("--id", request->id, "Which one; the newest by itself"), 1, UINT32_MAX);
  command->add_flag("--without-newer-names", request->without_newer_names,
                    "Also where the backup of the names is older than that of the log, or cannot be read: whoever is new is an unknown user");
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient&) {
      return on_files([&] {
        using eventstore::NamesOf;
        const auto restored = eventstore::Backups(request->directory)
                                  .restore(request->data, request->id,
                                           request->without_newer_names ? NamesOf::kWhateverIsThere : NamesOf::kAllItSpeaksOf);
        if (session.json) return fmt::print("{}\n", json_of(restored).dump());
        fmt::print("Backup {} is restored to {}. Verify it: otactl audit verify {}\n", name_of(restored), request->data, request->data);
      });
    };
  });
}

}  // namespace

void add_backup_commands(CLI::App& app, Session& session) {
  CLI::App* backup = add_command(app, "backup", "Backups of the log: create, list, check, restore");
  add_backup_create(*backup, session);
  add_backup_list(*backup, session);
  add_backup_check(*backup, session);
  add_backup_restore(*backup, session);
}

}  // namespace ota::ctl
