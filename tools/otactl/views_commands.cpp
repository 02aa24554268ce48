// otactl views status | rebuild | verify
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

#include "projections/rebuild.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/human.hpp"
#include "tools/otactl/json_cells.hpp"
#include "tools/otactl/log_directory.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/transfer_progress.hpp"
#include "tools/otactl/views_text.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kViewsLookEvery{200};

struct ViewsRequest {
  std::string directory;
  bool wait = false;
};

// Starts a work of the service; with `wait`, answers what it came to.
std::optional<json> let_service(ServiceClient& client, const std::string& work, const char* outcome, bool wait) {
  const auto before = expect_json(client.get("/views"));
  auto state = expect_json(client.post("/views/" + work, json::object()));
  if (!wait) {
    fmt::print("It has begun: otactl views status\n");
    return std::nullopt;
  }
  TransferProgress progress(work, Unit::kCount);
  while (!state["running"].is_null()) {
    progress(state["running"].value("done", std::int64_t{0}), state["running"].value("of", std::int64_t{0}));
    std::this_thread::sleep_for(kViewsLookEvery);
    state = expect_json(client.get("/views"));
  }
  if (state[outcome].is_null() || state[outcome] == before[outcome]) throw Failure(kExitFailed, "the service broke it off");
  return state[outcome];
}

// Works on the views of a stopped service.
int on_stopped(const std::string& directory, const std::string& what,
               const std::function<int(const std::filesystem::path& views, const eventstore::Log&, const projections::RebuildProgress&)>& act) {
  const auto progress = std::make_shared<TransferProgress>(what, Unit::kCount);
  return reading(directory, [&](const std::shared_ptr<eventstore::Log>& log) {
    return act(std::filesystem::path(directory) / "views", *log, [progress](std::uint64_t done, std::uint64_t of) {
      (*progress)(static_cast<std::int64_t>(done), static_cast<std::int64_t>(of));
      return true;
    });
  });
}

std::shared_ptr<ViewsRequest> add_views_work(CLI::App* command) {
  auto request = std::make_shared<ViewsRequest>();
  command->add_option("DIRECTORY", request->directory, "The data directory of a stopped service; without one the service is asked")
      ->check(CLI::ExistingDirectory);
  command->add_flag("--wait", request->wait, "Until the service has done it");
  return request;
}

void add_views_status(CLI::App& views, Session& session) {
  add_command(views, "status", "Where they stand, and what is done with them")->callback([&session] {
    session.action = [&session](ServiceClient& client) {
      session.print(client.get("/views"), views_text);
      return 0;
    };
  });
}

void add_views_rebuild(CLI::App& views, Session& session) {
  CLI::App* command = add_command(views, "rebuild", "Build them once more from the log, and show those");
  const auto request = add_views_work(command);
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient& client) {
      if (!request->directory.empty()) {
        return on_stopped(request->directory, "rebuild", [](const auto& place, const auto& log, const auto& progress) {
          (void)projections::rebuild_at_rest(place, log, progress);
          fmt::print("The views were rebuilt up to event {}.\n", log.head().value);
          return 0;
        });
      }
      const auto outcome = let_service(client, "rebuild", "last_rebuild", request->wait);
      if (!outcome) return 0;
      fmt::print("{}", session.json ? outcome->dump() + "\n" : rebuild_text(*outcome));
      return (*outcome)["error"].is_null() ? 0 : kExitFailed;
    };
  });
}

void add_views_verify(CLI::App& views, Session& session) {
  CLI::App* command = add_command(views, "verify", "Build them once more beside, and compare; exit code 1 if they differ");
  const auto request = add_views_work(command);
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient& client) {
      const auto show = [&session](const json& outcome) {
        fmt::print("{}", session.json ? outcome.dump() + "\n" : comparison_text(outcome));
        return outcome.value("equal", false) ? 0 : kExitFailed;
      };
      if (!request->directory.empty()) {
        return on_stopped(request->directory, "verify", [&](const auto& place, const auto& log, const auto& progress) {
          return show(comparison_json(projections::verify_at_rest(place, log, progress).value()));
        });
      }
      const auto outcome = let_service(client, "verify", "last_verification", request->wait);
      return outcome ? show(*outcome) : 0;
    };
  });
}

}  // namespace

void add_views_commands(CLI::App& app, Session& session) {
  CLI::App* views = add_command(app, "views", "What the log looks like, as the service shows it: status, rebuild, verify");
  add_views_status(*views, session);
  add_views_rebuild(*views, session);
  add_views_verify(*views, session);
}

}  // namespace ota::ctl
