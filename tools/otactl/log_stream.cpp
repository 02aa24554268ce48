// otactl log stream: the events of a directory as they come, each a line of JSON; a service that runs is asked by otactl events
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>

#include "eventstore/log.hpp"
#include "tools/otactl/event_line.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/log_directory.hpp"
#include "tools/otactl/number_options.hpp"
#include "tools/otactl/output.hpp"
#include "tools/otactl/session.hpp"

namespace ota::ctl {
namespace {

constexpr std::chrono::milliseconds kStreamLookEvery{500};

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
  bool is_first = true;
  for (std::map<std::string, std::uintmax_t> seen;;) {
    auto written = written_so_far(directory);
    if (written != seen) {
      reading(request.directory, [&](const std::shared_ptr<eventstore::Log>& log) {
        if (is_first) expect_at_most("--from", next, log->head().value + 1, *log);
        is_first = false;
        log->scan({next - 1}, [&](const eventstore::RecordedEvent& event) {
          fmt::print("{}", line_of(event_json(event)));
          next = event.position.value + 1;
          return true;
        });
        return 0;
      });
      flush_output();
      seen = std::move(written);
    }
    if (!request.follow) return 0;
    std::this_thread::sleep_for(kStreamLookEvery);
  }
}

}  // namespace

void add_log_stream(CLI::App& log, Session& session) {
  CLI::App* command = add_command(log, "stream", "The events in a directory as they come, each a line of JSON");
  const auto request = std::make_shared<StreamRequest>();
  command->add_option("DIRECTORY", request->directory, "A data directory or its log; a service that runs is asked by otactl events")
      ->required()
      ->check(CLI::ExistingDirectory);
  take_whole(command->add_option("--from", request->from, "A position: begin with the event there"), 1)->capture_default_str();
  command->add_flag("--follow", request->follow, "Go on with what comes, until it is stopped");
  command->callback([&session, request] {
    session.action = [request](ServiceClient&) { return stream_files(*request); };
  });
}

}  // namespace ota::ctl
