#include "tools/otad/config.hpp"

#include <charconv>
#include <cstdlib>
#include <functional>
#include <stdexcept>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace ota::tools {
namespace {

using Set = std::function<void(Config&, const std::string&)>;

struct Setting {
  const char* name;
  const char* fallback;
  const char* meaning;
  Set set;
};

struct BadValue : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::uint64_t number(const std::string& text, std::uint64_t low, std::uint64_t high) {
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size() || value < low || value > high) {
    throw BadValue(fmt::format("a whole number from {} to {} is wanted", low, high));
  }
  return value;
}

// "250ms", "1s", "5m", "24h".
domain::Duration duration(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  if (fault == std::errc{} && value < 1'000'000'000) {
    const auto n = static_cast<std::int64_t>(value);
    if (unit == "ms") return std::chrono::milliseconds(n);
    if (unit == "s") return std::chrono::seconds(n);
    if (unit == "m") return std::chrono::minutes(n);
    if (unit == "h") return std::chrono::hours(n);
  }
  throw BadValue("a duration such as 250ms, 1s, 5m or 24h is wanted");
}

domain::Duration duration_within(const std::string& text, domain::Duration low, domain::Duration high) {
  const auto value = duration(text);
  if (value < low || value > high) {
    throw BadValue(fmt::format("a duration from {} ms to {} s is wanted",
                               std::chrono::duration_cast<std::chrono::milliseconds>(low).count(),
                               std::chrono::duration_cast<std::chrono::seconds>(high).count()));
  }
  return value;
}

// A bare true or false of the file counts, too.
bool on_or_off(const std::string& text) {
  if (text == "on" || text == "true") return true;
  if (text == "off" || text == "false") return false;
  throw BadValue("on or off is wanted");
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> list;
  std::string word;
  for (const char c : text + ",") {
    if (c == ',') {
      if (!word.empty()) list.push_back(std::move(word));
      word.clear();
    } else if (c != ' ') {
      word.push_back(c);
    }
  }
  return list;
}

const std::vector<Setting>& settings() {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  static const std::vector<Setting> table{
      {"http.address", "127.0.0.1", "address to listen on",
       [](Config& c, const std::string& v) { c.address = v; }},
      {"port", "8216", "port to listen on; 0 takes a free one",
       [](Config& c, const std::string& v) { c.port = static_cast<std::uint16_t>(number(v, 0, 65'535)); }},
      {"http.port_file", "", "file that gets the bound port once the service answers",
       [](Config& c, const std::string& v) { c.port_file = v; }},
      {"http.threads", "128", "handler threads; a quarter of them may wait for large bodies",
       [](Config& c, const std::string& v) { c.handler_threads = number(v, 4, 1'024); }},
      {"actors.threads", "2", "threads of the actors' scheduler",
       [](Config& c, const std::string& v) { c.scheduler_threads = number(v, 1, 64); }},
      {"data", "ota-data", "directory of the log, the views and the firmware",
       [](Config& c, const std::string& v) { c.data_directory = v; }},
      {"log.level", "info", "debug, info, warning or error",
       [](Config& c, const std::string& v) {
         if (v != "debug" && v != "info" && v != "warning" && v != "error") {
           throw BadValue("one of debug, info, warning, error is wanted");
         }
         c.log_level = v;
       }},
      {"ddi.tenant", "DEFAULT", "the tenant in the devices' paths",
       [](Config& c, const std::string& v) {
         c.tenant.clear();
         for (const char ch : v) c.tenant.push_back(ch >= 'a' && ch <= 'z' ? static_cast<char>(ch - 32) : ch);
         if (c.tenant.empty()) throw BadValue("a name is wanted");
       }},
      {"ddi.sleep", "5m", "how long devices sleep between polls",
       [](Config& c, const std::string& v) {
         c.settings.poll_sleep = duration_within(v, seconds(1), hours(24) - seconds(1));
       }},
      {"ddi.first_action_id", "1000001", "the first action id that a device gets",
       [](Config& c, const std::string& v) {
         c.settings.first_action = {static_cast<std::uint32_t>(number(v, 11, 1'999'999'999))};
       }},
      {"ddi.version_attribute", "firmware_version", "the attribute in which devices report their version",
       [](Config& c, const std::string& v) { c.settings.version_attribute = v; }},
      {"ddi.success_grace", "15m", "how long after its success a device may still report its old version",
       [](Config& c, const std::string& v) { c.settings.success_grace = duration_within(v, seconds(0), hours(24)); }},
      {"retry.backoff_base", "1m", "wait before the first retry; doubled for each further one, at most an hour",
       [](Config& c, const std::string& v) {
         c.settings.retry_backoff_base = duration_within(v, milliseconds(10), hours(1));
       }},
      {"firmware.extra_formats", "", "file extensions to accept beside bin, hex, elf, tar.gz, zip; comma separated",
       [](Config& c, const std::string& v) { c.extra_formats = words(v); }},
      {"firmware.fetch", "on", "on or off: bring the bytes of firmware that is registered by URL; any URL that an admin names",
       [](Config& c, const std::string& v) { c.fetch_firmware = on_or_off(v); }},
      {"nats.url", "", "NATS server; empty: no bus",
       [](Config& c, const std::string& v) { c.nats_url = v; }},
      {"nats.device_deleted", "device_service.device.deleted", "subject on which deleted devices are announced",
       [](Config& c, const std::string& v) { c.nats_device_deleted = v; }},
      {"nats.user_deleted", "account_service.user.deleted", "subject on which deleted users are announced",
       [](Config& c, const std::string& v) { c.nats_user_deleted = v; }},
  };
  return table;
}

void apply(Config& config, const std::string& name, const std::string& value, const std::string& where) {
  for (const auto& setting : settings()) {
    if (name != setting.name) continue;
    try {
      setting.set(config, value);
    } catch (const BadValue& fault) {
      throw ConfigError(fmt::format("{} = \"{}\" ({}): {}", name, value, where, fault.what()));
    }
    return;
  }
  throw ConfigError(fmt::format("unknown setting {} ({})", name, where));
}

std::string text_of(const toml::node& node) {
  if (const auto* s = node.as_string()) return s->get();
  if (const auto* i = node.as_integer()) return std::to_string(i->get());
  if (const auto* b = node.as_boolean()) return b->get() ? "true" : "false";
  if (const auto* list = node.as_array()) {
    std::string joined;
    for (const auto& item : *list) joined += (joined.empty() ? "" : ",") + text_of(item);
    return joined;
  }
  throw ConfigError("a text, a number or a list is wanted");
}

void apply_table(Config& config, const toml::table& table, const std::string& prefix, const std::string& where) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      apply_table(config, *inner, name + ".", where);
    } else {
      apply(config, name, text_of(node), where);
    }
  }
}

std::string environment_name(std::string name) {
  for (char& c : name) c = c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return "OTA_" + name;
}

}  // namespace

Config load_config(const ConfigSource& source) {
  Config config;
  if (source.file) {
    try {
      apply_table(config, toml::parse_file(source.file->string()), "", source.file->string());
    } catch (const toml::parse_error& fault) {
      throw ConfigError(fmt::format("{}, line {}: {}", source.file->string(),
                                    fault.source().begin.line, fault.description()));
    }
  }
  for (const auto& setting : settings()) {
    const std::string name = environment_name(setting.name);
    // Read once, before any thread is started.
    if (const char* value = std::getenv(name.c_str())) {  // NOLINT(concurrency-mt-unsafe)
      apply(config, setting.name, value, "environment " + name);
    }
  }
  for (const auto& [name, value] : source.flags) apply(config, name, value, "flag --" + name);
  return config;
}

std::vector<SettingHelp> setting_help() {
  std::vector<SettingHelp> help;
  for (const auto& s : settings()) help.push_back({s.name, s.fallback, s.meaning});
  return help;
}

}  // namespace ota::tools
