#include "tools/benchmarks/otad_process.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "tools/benchmarks/stopwatch.hpp"

namespace ota::bench {
namespace {

constexpr std::chrono::milliseconds kLookForPort{1};
constexpr double kStartSecondsMax = 600;

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool has_ended(pid_t process) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == process;
}

}  // namespace

OtadProcess::OtadProcess(const std::filesystem::path& data_directory) : words_(data_directory.string() + ".otad.log") {
  const std::filesystem::path port_file = data_directory.string() + ".port";
  std::filesystem::remove(port_file);
  const auto otad = std::filesystem::path(this_program()).parent_path() / "otad";
  const Stopwatch stopwatch;
  process_ = std::make_unique<Process>(std::vector<std::string>{
      "/bin/sh", "-c", R"(exec "$@" 2>"$0")", words_.string(), otad.string(), "--port", "0", "--http.port_file",
      port_file.string(), "--data", data_directory.string(), "--ddi.anonymous", "on", "--ddi.device_rate", "0"});
  // The file comes whole, once the door is open.
  while (!std::filesystem::exists(port_file)) {
    if (has_ended(process_->pid()) || stopwatch.seconds() > kStartSecondsMax) {
      const auto words = text_of(words_);
      throw std::runtime_error("otad does not start: " + words.substr(words.size() - std::min<std::size_t>(words.size(), 500)));
    }
    std::this_thread::sleep_for(kLookForPort);
  }
  start_seconds_ = stopwatch.seconds();
  port_ = std::stoi(text_of(port_file));
}

OtadProcess::~OtadProcess() {
  if (process_) ::kill(process_->pid(), SIGTERM);
}

std::uint64_t OtadProcess::caught_up() const {
  static const std::regex kOf("bringing the views up to date: [0-9]+ of ([0-9]+) events");
  const std::string words = text_of(words_);
  std::smatch found;
  return std::regex_search(words, found, kOf) ? std::stoull(found[1].str()) : 0;
}

void OtadProcess::stop() {
  ::kill(process_->pid(), SIGTERM);
  const int code = process_->finish();
  process_.reset();
  if (code != 0) throw std::runtime_error(fmt::format("otad ended with code {}", code));
}

void OtadProcess::kill() {
  ::kill(process_->pid(), SIGKILL);
  process_->finish();
  process_.reset();
}

}  // namespace ota::bench
