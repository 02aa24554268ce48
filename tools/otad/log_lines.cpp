#include "tools/otad/log_lines.hpp"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace ota::tools {
namespace {

// The message as a JSON text. Messages that are JSON objects already are passed on as they are.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    std::string text;
    for (const char c : message.payload) {
      const auto b = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        text.push_back('\\');
        text.push_back(c);
      } else if (b < 0x20) {
        text += fmt::format("\\u{:04x}", b);
      } else {
        text.push_back(c);
      }
    }
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonMessage>(); }
};

}  // namespace

void log_json_lines(const std::string& level) {
  auto logger = spdlog::stderr_logger_mt("otad");
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<JsonMessage>('*').set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","message":"%*"})");
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace ota::tools
