#include "tools/otad/config.hpp"

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "tools/otad/setting_table.hpp"
#include "tools/otad/setting_values.hpp"

namespace ota::tools {
namespace {

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

std::string text_of(const toml::node& node, const std::string& name, const std::string& where) {
  if (const auto* s = node.as_string()) return s->get();
  if (const auto* i = node.as_integer()) return std::to_string(i->get());
  if (const auto* b = node.as_boolean()) return b->get() ? "true" : "false";
  if (const auto* list = node.as_array()) {
    std::string joined;
    for (const auto& item : *list) joined += (joined.empty() ? "" : ",") + text_of(item, name, where);
    return joined;
  }
  std::ostringstream value;
  node.visit([&](const auto& shown) { value << shown; });
  throw ConfigError(fmt::format("{} = {} ({}): a text, a whole number, true or false, or a list is wanted", name, value.str(), where));
}

void apply_table(Config& config, const toml::table& table, const std::string& prefix, const std::string& where) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      apply_table(config, *inner, name + ".", where);
    } else {
      apply(config, name, text_of(node, name, where), where);
    }
  }
}

std::string environment_name(std::string name) {
  for (char& c : name) c = c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return "OTA_" + name;
}

}  // namespace

namespace {

// Backups may stand in the data directory, but not be it, nor be in what the service keeps there.
void refuse_backups_among_data(const Config& config) {
  if (config.backup_directory.empty()) return;
  namespace fs = std::filesystem;
  const auto backups = fs::weakly_canonical(config.backup_directory);
  const auto data = fs::weakly_canonical(config.data_directory);
  const auto inside = backups.lexically_relative(data);
  const auto first = inside.empty() ? std::string() : inside.begin()->string();
  const bool is_kept = first == "." || first == "log" || first == "subjects" || first == "views" || first == "artifacts" || first == "keys";
  if (!is_kept) return;
  throw ConfigError(fmt::format("backup.directory = \"{}\": the service keeps other things there; a directory of its own is wanted",
                                config.backup_directory.string()));
}

// What only several settings together tell.
void check_whole(Config& config) {
  if (const auto& header = config.device_auth.identity_header; !header.empty() && config.trusted_proxies.empty()) {
    throw ConfigError(fmt::format("ddi.identity_header = \"{}\": nobody is believed who sends it, http.trusted_proxies names no network", header));
  }
  config.tls.clients = config.tls.client_authority_file.empty() ? http::ClientCertificates::kIgnored
                       : config.client_certificates_required    ? http::ClientCertificates::kRequired
                                                                : http::ClientCertificates::kOptional;
  if (config.client_certificates_required && config.tls.client_authority_file.empty()) {
    throw ConfigError("tls.client_certificates = \"required\": tls.client_ca is missing, which would verify them");
  }
  const auto& store = config.store_key;
  if (store.id.empty() != store.secret.empty()) {
    throw ConfigError("downloads.store_key and downloads.store_secret: one is set and the other is not");
  }
  if (!store.id.empty() && (config.redirect_url.empty() || config.redirect_url.find('?') != std::string::npos)) {
    throw ConfigError(fmt::format("downloads.store_key is set, and downloads.redirect_url = \"{}\": a URL without a query is wanted, "
                                  "which is presigned", config.redirect_url));
  }
  refuse_backups_among_data(config);
  const auto speaks_tls = [](const std::string& url) { return url.find("tls://") != std::string::npos; };
  if (!config.nats_ca_file.empty() && !speaks_tls(config.nats_url) && !speaks_tls(config.mqtt.nats_url)) {
    throw ConfigError(fmt::format("nats.ca_file = \"{}\": neither nats.url nor mqtt.nats_url begins with tls://", config.nats_ca_file));
  }
  if (!config.mqtt.host.empty()) {
    if (config.mqtt.nats_url.empty()) config.mqtt.nats_url = config.nats_url;
    if (config.mqtt.nats_url.empty()) {
      throw ConfigError("mqtt.host is set, and neither mqtt.nats_url nor nats.url: what devices say is read there");
    }
    if (config.public_url.empty()) throw ConfigError("mqtt.host is set, and ddi.public_url is not: devices get their bytes there");
    config.mqtt.nats_ca_file = config.nats_ca_file;
    config.mqtt.tenant = config.tenant;
    config.mqtt.plug_and_play = config.device_auth.plug_and_play;
    config.mqtt.rate = config.device_rates.device;
  }
  if (!config.tls_port) {
    for (const auto& [name, value] : {std::pair<const char*, const std::string&>{"tls.certificate", config.tls.certificate_file},
                                      {"tls.key", config.tls.key_file}, {"tls.client_ca", config.tls.client_authority_file}}) {
      if (!value.empty()) throw ConfigError(fmt::format("{} = \"{}\": tls.port is missing, without which there is no TLS", name, value));
    }
    return;
  }
  if (config.tls.certificate_file.empty()) throw ConfigError("tls.port is set, and tls.certificate is not");
  if (config.tls.key_file.empty()) throw ConfigError("tls.port is set, and tls.key is not");
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
  check_whole(config);
  return config;
}

std::vector<SettingHelp> setting_help() {
  std::vector<SettingHelp> help;
  for (const auto& s : settings()) help.push_back({s.name, s.fallback, s.meaning});
  return help;
}

}  // namespace ota::tools
