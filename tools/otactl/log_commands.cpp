// otactl log dump | stats | stream | repair | drop-snapshots: the log's directory, without the service
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>

#include "domain/codec/codec.hpp"
#include "domain/codec/readable.hpp"
#include "domain/streams.hpp"
#include "eventstore/base64.hpp"
#include "eventstore/log.hpp"
#include "eventstore/proofs.hpp"
#include "tools/otactl/event_line.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/human.hpp"
#include "tools/otactl/log_directory.hpp"
#include "tools/otactl/number_options.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/table.hpp"

namespace ota::ctl {
namespace {

using eventstore::RecordedEvent;
using nlohmann::json;

void add_log_dump(CLI::App& log, Session& session) {
  struct Request {
    std::string directory;
    std::uint64_t after = 0;
    std::uint64_t limit = UINT64_MAX;
    bool records = false;
  };
  CLI::App* command = add_command(log, "dump", "Every event as a line of JSON, and behind them the checkpoints of those that are shown");
  const auto request = std::make_shared<Request>();
  command->add_option("DIRECTORY", request->directory, "A data directory or its log")->required()->check(CLI::ExistingDirectory);
  take_whole(command->add_option("--after", request->after, "Behind this position, without the event there; 0: from the first event"), 0);
  take_whole(command->add_option("--limit", request->limit, "So many events at most"), 1);
  command->add_flag("--records", request->records, "With the bytes that the proof tree is made of, in base64");
  command->callback([&session, request] {
    session.action = [request](ServiceClient&) {
      return reading(request->directory, [&](const std::shared_ptr<eventstore::Log>& opened) {
        expect_at_most("--after", request->after, opened->head().value, *opened);
        const eventstore::Proofs proofs(opened);
        std::uint64_t left = request->limit;
        std::uint64_t shown_to = 0;
        opened->scan({request->after}, [&](const RecordedEvent& event) {
          if (left-- == 0) return false;
          auto shown = event_json(event);
          if (request->records) shown["record"] = eventstore::base64_of(proofs.record(event.position).value());
          fmt::print("{}", line_of(shown));
          shown_to = event.position.value;
          return true;
        });
        proofs.checkpoints(request->after, [&](std::uint64_t size, std::string_view note) {
          if (request->limit != UINT64_MAX && size > shown_to) return false;  // without one: also of events that are gone
          fmt::print("{}", line_of(json{{"checkpoint", std::string(note)}}));
          return true;
        });
        return 0;
      });
    };
  });
}

// "campaign", "update", ... of a stream.
std::string kind_of(std::string_view stream) {
  const auto name = domain::readable_name(stream);
  return name.substr(0, name.find(':'));
}

struct Sum {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  void add(std::size_t payload) {
    ++events;
    bytes += payload;
  }
};

std::string table_of(const std::string& title, const std::map<std::string, Sum>& sums) {
  std::vector<std::pair<std::string, Sum>> sorted(sums.begin(), sums.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second.events > b.second.events; });
  Table table{{{title}, {"EVENTS", true}, {"PAYLOAD", true}}};
  for (const auto& [name, sum] : sorted) {
    table.add({name, std::to_string(sum.events), text::human_size(static_cast<std::int64_t>(sum.bytes))});
  }
  return "\n" + table.text();
}

json sums_json(const std::map<std::string, Sum>& sums) {
  json all = json::object();
  for (const auto& [name, sum] : sums) all[name] = {{"events", sum.events}, {"payload_bytes", sum.bytes}};
  return all;
}

void add_log_stats(CLI::App& log, Session& session) {
  CLI::App* command = add_command(log, "stats", "How many events of which kind, and what they take");
  const auto directory = std::make_shared<std::string>();
  command->add_option("DIRECTORY", *directory, "A data directory or its log")->required()->check(CLI::ExistingDirectory);
  command->callback([&session, directory] {
    session.action = [&session, directory](ServiceClient&) {
      return reading(*directory, [&](const std::shared_ptr<eventstore::Log>& opened) {
        std::map<std::string, Sum> types;
        std::map<std::string, Sum> streams;
        eventstore::Timestamp first;
        opened->scan({}, [&](const RecordedEvent& event) {
          if (event.position.value == 1) first = event.time;
          types[std::string(domain::event_name(event.type))].add(event.payload.size());
          streams[kind_of(event.stream)].add(event.payload.size());
          return true;
        });
        const auto stats = opened->stats();
        const double each = stats.events == 0 ? 0.0 : static_cast<double>(stats.disk_bytes) / static_cast<double>(stats.events);
        if (session.json) {
          fmt::print("{}", line_of(json{{"events", stats.events}, {"disk_bytes", stats.disk_bytes}, {"types", sums_json(types)},
                                        {"streams", sums_json(streams)}}));
          return 0;
        }
        fmt::print("{}", aligned({{"events", std::to_string(stats.events)},
                                  {"first", stats.events == 0 ? "-" : time_text(first)},
                                  {"newest", stats.events == 0 ? "-" : time_text(opened->head_time())},
                                  {"on disk", fmt::format("{}, {:.0f} bytes an event", text::human_size(static_cast<std::int64_t>(stats.disk_bytes)), each)}}));
        fmt::print("{}{}", table_of("STREAM", streams), table_of("TYPE", types));
        return 0;
      });
    };
  });
}

}  // namespace

void add_log_commands(CLI::App& app, Session& session) {
  CLI::App* log = add_command(app, "log", "The log's directory, without the service: dump, stats, stream, repair, drop-snapshots");
  add_log_dump(*log, session);
  add_log_stats(*log, session);
  add_log_stream(*log, session);
  add_log_repair(*log, session);
  add_log_drop_snapshots(*log, session);
}

}  // namespace ota::ctl
