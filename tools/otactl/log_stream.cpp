// otactl log stream: events as they come, each a line of JSON
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>

#include "eventstore/log.hpp"
#include "tools/otactl/event_line.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/log_directory.hpp"
#include "tools/otactl/session.hpp"

namespace ota::ctl {
namespace {

constexpr std::chrono::milliseconds kStreamLookEvery{500};
constexpr unsigned kStreamPage = 1'000;

struct StreamRequest {
  std::string directory;
  std::uint64_t from = 1;
  bool follow = false;
};

// What changes with every event: the files that they are written to, and how far.
std::map<std::string, std::uintmax_t> written_so_far(const std::filesystem::path& log) {
  std::map<std::string, std::uintmax_t> sizes;
  std::error_code error;  // a file may vanish while we look
  for (std::filesystem::directory_iterator entry(log, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() != ".log") continue;
    std::error_code gone;
    const auto size = entry->file_size(gone);
    if (!gone) sizes[entry->path().filename().string()] = size;
  }
  return sizes;
}

// A log that is opened to be read shows one moment: it is opened again when it has grown. What is shown is written, and may
// not be synced yet: a power cut in that very moment would take it back.
int stream_files(const StreamRequest& request) {
  const auto directory = log_in(request.directory);
  std::uint64_t next = request.from;
  for (std::map<std::string, std::uintmax_t> seen;;) {
    auto written = written_so_far(directory);
    if (written != seen) {
      reading(request.directory, [&](const std::shared_ptr<eventstore::Log>& log) {
        log->scan({next - 1}, [&](const eventstore::RecordedEvent& event) {
          fmt::print("{}", line_of(event_json(event)));
          next = event.position.value + 1;
          return true;
        });
        return 0;
      });
      std::fflush(stdout);
      seen = std::move(written);
    }
    if (!request.follow) return 0;
    std::this_thread::sleep_for(kStreamLookEvery);
  }
}

int stream_service(ServiceClient& client, const StreamRequest& request) {
  for (std::uint64_t after = request.from - 1;;) {
    const Reply reply = client.get(fmt::format("/audit/events?after={}&limit={}", after, kStreamPage));
    if (!reply.ok()) throw Failure(kExitFailed, describe_error(reply.status, reply.body));
    const auto page = nlohmann::json::parse(reply.body);
    for (const auto& event : page.at("events")) fmt::print("{}", line_of(event));
    std::fflush(stdout);
    after = page.at("next_after").get<std::uint64_t>();
    if (page.at("more").get<bool>()) continue;
    if (!request.follow) return 0;
    std::this_thread::sleep_for(kStreamLookEvery);
  }
}

}  // namespace

void add_log_stream(CLI::App& log, Session& session) {
  CLI::App* command = add_command(log, "stream", "Events as they come, each a line of JSON");
  const auto request = std::make_shared<StreamRequest>();
  command->add_option("DIRECTORY", request->directory, "A data directory or its log; without one the service is asked")
      ->check(CLI::ExistingDirectory);
  command->add_option("--from", request->from, "Begin with this position")->check(CLI::PositiveNumber)->capture_default_str();
  command->add_flag("--follow", request->follow, "Go on with what comes, until it is stopped");
  command->callback([&session, request] {
    session.action = [request](ServiceClient& client) {
      return request->directory.empty() ? stream_service(client, *request) : stream_files(*request);
    };
  });
}

}  // namespace ota::ctl
