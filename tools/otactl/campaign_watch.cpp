// otactl campaign watch: follows a campaign until it is over.
//
// Asks once an interval. A service that does not answer is asked again for a while: campaigns
// outlive restarts.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "tools/otactl/failure.hpp"
#include "tools/otactl/number_options.hpp"
#include "tools/otactl/output.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/url.hpp"
#include "tools/otactl/watch_view.hpp"

namespace ota::ctl {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kRateWindow{30};

struct WatchRequest {
  std::string id;
  double interval_s = 1;
  double give_up_s = 60;
};

std::size_t terminal_width() {
  winsize size{};
  constexpr std::size_t kUsual = 80;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

// Draws over what it drew before on a terminal; elsewhere one line for every change.
class Screen {
 public:
  void show(const CampaignCounts& counts, const RateMeter& rate) {
    if (on_terminal_) return draw(watch_lines(counts, rate, terminal_width()));
    if (shown_ == counts) return;
    shown_ = counts;
    fmt::print("{}\n", watch_line(counts, rate));
    flush_output();
  }

  void say(const std::string& text) {
    note("otactl: {}\n", text);
    drawn_ = 0;  // what was drawn has scrolled away
  }

 private:
  void draw(const std::vector<std::string>& lines) {
    if (drawn_ > 0) fmt::print("\x1b[{}A", drawn_);
    for (const std::string& line : lines) fmt::print("\r{}\x1b[K\n", line);
    drawn_ = lines.size();
    flush_output();
  }

  bool on_terminal_ = ::isatty(STDOUT_FILENO) != 0;
  std::size_t drawn_ = 0;
  std::optional<CampaignCounts> shown_;
};

// Answers the campaign, or nothing when the service did not answer and may still be waited for.
class PatientReader {
 public:
  PatientReader(ServiceClient& client, const WatchRequest& request)
      : client_(client),
        path_("/campaigns/" + escape(request.id)),
        give_up_(std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double>(request.give_up_s))) {}

  std::optional<Reply> read(Screen& screen) {
    try {
      Reply reply = client_.get(path_);
      if (reply.status != 503) {
        silent_since_.reset();
        return reply;
      }
      wait_on(Failure(kExitFailed, describe_error(reply.status, reply.body)), screen);
    } catch (const Failure& failure) {
      if (failure.exit_code() != kExitUnreachable) throw;
      wait_on(failure, screen);
    }
    return std::nullopt;
  }

 private:
  void wait_on(const Failure& failure, Screen& screen) {
    const auto now = Clock::now();
    if (!silent_since_) {
      silent_since_ = now;
      screen.say(fmt::format("{}; waiting for the service", failure.what()));
    }
    if (now - *silent_since_ >= give_up_) throw failure;
  }

  ServiceClient& client_;
  std::string path_;
  Clock::duration give_up_;
  std::optional<Clock::time_point> silent_since_;
};

int watch(ServiceClient& client, const WatchRequest& request, bool raw) {
  client.set_tries(1);
  PatientReader reader{client, request};
  Screen screen;
  RateMeter rate{kRateWindow};
  std::optional<std::string> printed;
  while (true) {
    if (const auto reply = reader.read(screen)) {
      const CampaignCounts counts = read_counts(expect_json(*reply));
      rate.add(Clock::now(), counts.finished());
      if (!raw) {
        screen.show(counts, rate);
      } else if (printed != reply->body) {
        printed = reply->body;
        fmt::print("{}\n", reply->body);
        flush_output();
      }
      if (counts.is_over()) return counts.status == "completed" ? 0 : kExitFailed;
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(request.interval_s));
  }
}

}  // namespace

void add_campaign_watch(CLI::App& campaign, Session& session) {
  CLI::App* command = add_command(
      campaign, "watch", "Follow a campaign; exit code 0 when it completed, 1 when it did not");
  const auto request = std::make_shared<WatchRequest>();
  command->add_option("ID", request->id, "Campaign id")->required();
  take_seconds(command->add_option("--interval", request->interval_s, "Seconds between two looks"), 0.05, 3'600)->capture_default_str();
  take_seconds(command->add_option("--give-up", request->give_up_s, "Seconds to wait for a silent service"), 0)->capture_default_str();
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient& client) {
      return watch(client, *request, session.json);
    };
  });
}

}  // namespace ota::ctl
