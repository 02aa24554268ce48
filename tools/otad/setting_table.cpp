#include "tools/otad/setting_table.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "http/client_profile.hpp"
#include "tools/otad/setting_values.hpp"

namespace ota::tools {
namespace {

http::IpNetworks networks(const std::string& text) {
  try {
    return http::IpNetworks::parse(text);
  } catch (const std::invalid_argument& fault) {
    throw BadValue(fault.what());
  }
}

std::map<std::string, std::string> clients_of_models(const std::string& text) {
  std::map<std::string, std::string> clients;
  for (const auto& word : words(text)) {
    const auto at = word.rfind('=');
    if (at == std::string::npos || at == 0) throw BadValue(fmt::format("\"{}\": MODEL=CLIENT is wanted", word));
    const auto client = word.substr(at + 1);
    const auto known = http::client_profiles();
    if (std::none_of(known.begin(), known.end(), [&](const auto& profile) { return profile.name == client; })) {
      throw BadValue(fmt::format("\"{}\": no such client; swupdate, rauc or zephyr is wanted", client));
    }
    if (!clients.emplace(word.substr(0, at), client).second) throw BadValue(fmt::format("\"{}\": a model has one client", word));
  }
  return clients;
}

// Of a distinguished name ("CN=Device CA,O=Acme") another issuer may share a part, and a list is split at its commas.
std::vector<std::string> issuers(const std::string& text) {
  auto list = words(text);
  for (const auto& word : list) {
    if (word.find('=') != word.npos) {
      throw BadValue(fmt::format("\"{}\": a name or a hash of the issuer is wanted, no part of a distinguished name", word));
    }
  }
  return list;
}

// Short ones would be guessed.
std::vector<std::string> long_words(const std::string& text) {
  constexpr std::size_t kLeast = 16;
  auto list = words(text);
  for (const auto& word : list) {
    if (word.size() < kLeast) throw BadValue(fmt::format("at least {} characters are wanted", kLeast));
  }
  return list;
}

actors::Rate rate(const std::string& text, std::uint64_t at_once = 10) {
  const auto per_s = number(text, 0, 1'000'000);
  return {static_cast<double>(per_s), static_cast<double>(per_s * at_once)};
}

// Slower ones would be taken for peers that have gone.
std::uint64_t bytes_per_s(const std::string& text) {
  constexpr std::uint64_t kLeast = 8'192;
  const auto value = number(text, 0, 1'000'000'000'000);
  if (value > 0 && value < kLeast) throw BadValue(fmt::format("0, or at least {} is wanted", kLeast));
  return value;
}

}  // namespace

const std::vector<Setting>& settings() {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  static const std::vector<Setting> table{
      {"http.address", "127.0.0.1", "address to listen on",
       [](Config& c, const std::string& v) { c.address = ip_address(v); }},
      {"port", "8216", "port to listen on; 0 takes a free one",
       [](Config& c, const std::string& v) { c.port = static_cast<std::uint16_t>(number(v, 0, 65'535)); }},
      {"http.port_file", "", "file that gets the bound port once the service answers",
       [](Config& c, const std::string& v) { c.port_file = v; }},
      {"http.serves", "all", "all, or devices: then nobody administers through http.address",
       [](Config& c, const std::string& v) { c.devices_only = one_of(v, {"all", "devices"}) == "devices"; }},
      {"http.trusted_proxies", "", "networks of proxies whose X-Forwarded-* and identity headers are believed; comma separated",
       [](Config& c, const std::string& v) { c.trusted_proxies = networks(v); }},
      {"tls.port", "", "port of a second listener, with TLS 1.2 and 1.3; empty: none; 0 takes a free one",
       [](Config& c, const std::string& v) {
         c.tls_port = v.empty() ? std::nullopt : std::optional(static_cast<std::uint16_t>(number(v, 0, 65'535)));
       }},
      {"tls.address", "0.0.0.0", "address of that listener",
       [](Config& c, const std::string& v) { c.tls_address = ip_address(v); }},
      {"tls.port_file", "", "file that gets its bound port",
       [](Config& c, const std::string& v) { c.tls_port_file = v; }},
      {"tls.certificate", "", "PEM file: the certificate, then its chain; read again on SIGHUP",
       [](Config& c, const std::string& v) { c.tls.certificate_file = v; }},
      {"tls.key", "", "PEM file: the certificate's key",
       [](Config& c, const std::string& v) { c.tls.key_file = v; }},
      {"tls.client_ca", "", "PEM file: who signs the certificates of devices; the common name is the device's id",
       [](Config& c, const std::string& v) { c.tls.client_authority_file = v; }},
      {"tls.client_certificates", "optional", "with tls.client_ca: optional, or required",
       [](Config& c, const std::string& v) { c.client_certificates_required = one_of(v, {"optional", "required"}) == "required"; }},
      {"tls.serves", "devices", "devices, or all: then administrators are served there, too",
       [](Config& c, const std::string& v) { c.tls_devices_only = one_of(v, {"devices", "all"}) == "devices"; }},
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
       [](Config& c, const std::string& v) { c.tenant = tenant(v); }},
      {"ddi.sleep", "5m", "how long devices sleep between polls",
       [](Config& c, const std::string& v) {
         c.settings.poll_sleep = duration_within(v, seconds(1), hours(24) - seconds(1));
       }},
      {"ddi.first_action_id", "1000001", "the first action id that a device gets",
       [](Config& c, const std::string& v) {
         c.settings.first_action = {static_cast<std::uint32_t>(number(v, 11, 1'999'999'999))};
       }},
      {"ddi.version_attribute", "firmware_version", "the attribute in which devices report their version",
       [](Config& c, const std::string& v) { c.settings.version_attribute = attribute_name(v); }},
      {"ddi.success_grace", "15m", "how long after its success a device may still report its old version",
       [](Config& c, const std::string& v) { c.settings.success_grace = duration_within(v, seconds(0), hours(24)); }},
      {"ddi.target_token", "on", "on or off: a device may show its own token",
       [](Config& c, const std::string& v) { c.device_auth.target_token = on_or_off(v); }},
      {"ddi.gateway_token", "", "a token that acts for every device; several, comma separated, while one is replaced",
       [](Config& c, const std::string& v) { c.device_auth.gateway_tokens = long_words(v); }},
      {"ddi.anonymous", "off", "on or off: devices that show nothing are believed, those that have a token, too",
       [](Config& c, const std::string& v) { c.device_auth.anonymous = on_or_off(v); }},
      {"ddi.plug_and_play", "on", "on or off: an id that is not known is registered at its first poll",
       [](Config& c, const std::string& v) { c.device_auth.plug_and_play = on_or_off(v); }},
      {"ddi.identity_header", "", "header in which trusted proxies name the device whose certificate they verified; empty: none",
       [](Config& c, const std::string& v) { c.device_auth.identity_header = v.empty() ? v : header_name(v); }},
      {"ddi.authority_header", "X-Authority", "header in which it names who issued the device's certificate",
       [](Config& c, const std::string& v) { c.device_auth.authority_header = header_name(v); }},
      {"ddi.authorities", "", "issuers of which one has to be named there, each one word or a hash; comma separated; empty: the proxy has looked",
       [](Config& c, const std::string& v) { c.device_auth.authorities = issuers(v); }},
      {"ddi.signed_links", "off", "on or off: links to bytes are signed and good without credentials",
       [](Config& c, const std::string& v) { c.device_auth.signed_links = on_or_off(v); }},
      {"ddi.public_url", "", "where devices reach this service, https://ota.example: links that they are not given in an answer begin with it",
       [](Config& c, const std::string& v) { c.public_url = web_url(v); }},
      {"ddi.link_life", "24h", "how long such a link is good, and up to an hour more",
       [](Config& c, const std::string& v) {
         c.device_auth.link_life = std::chrono::ceil<seconds>(duration_within(v, seconds(60), hours(24 * 30)));
       }},
      {"ddi.late_feedback", "accept", "accept, or gone: reports on what is over are answered 200, or 410",
       [](Config& c, const std::string& v) { c.late_feedback_gone = one_of(v, {"accept", "gone"}) == "gone"; }},
      {"ddi.client_attribute", "ddi_client", "the attribute that names a device's client: swupdate, rauc or zephyr",
       [](Config& c, const std::string& v) { c.client_attribute = attribute_name(v); }},
      {"ddi.client_of_model", "", "the client of all devices of a model that do not say it: SF-100=zephyr, comma separated",
       [](Config& c, const std::string& v) { c.client_of_model = clients_of_models(v); }},
      {"ddi.polls_per_second", "2000", "polls of all devices together that are planned for; 0: as many as come",
       [](Config& c, const std::string& v) { c.poll_pace.polls_per_s = static_cast<std::uint32_t>(number(v, 0, 1'000'000)); }},
      {"ddi.sleep_soon", "30s", "the sleep of devices that a running campaign can take, at most ddi.sleep",
       [](Config& c, const std::string& v) { c.poll_pace.soon = duration_within(v, seconds(1), hours(24) - seconds(1)); }},
      {"ddi.sleep_jitter", "10", "percent by which sleeps differ, up and down",
       [](Config& c, const std::string& v) { c.poll_pace.jitter_percent = static_cast<std::uint32_t>(number(v, 0, 50)); }},
      {"ddi.device_rate", "20", "requests, or messages over MQTT, a second of one device, ten times as many at once; 0: no limit",
       [](Config& c, const std::string& v) { c.device_rates.device = rate(v); }},
      {"ddi.address_reads", "200", "reads a second from one address, five times as many at once; 0: no limit",
       [](Config& c, const std::string& v) { c.device_rates.address_reads = rate(v, 5); }},
      {"ddi.address_writes", "50", "writes a second from one address, ten times as many at once; 0: no limit",
       [](Config& c, const std::string& v) { c.device_rates.address_writes = rate(v); }},
      {"ddi.limit_private", "off", "on or off: private and loopback addresses are limited, too",
       [](Config& c, const std::string& v) { c.device_rates.limit_private = on_or_off(v); }},
      {"ddi.blocked_addresses", "", "networks whose devices are answered 403; comma separated",
       [](Config& c, const std::string& v) { c.blocked_addresses = networks(v); }},
      {"downloads.bytes_per_second", "0", "how fast one download goes at most; 0: as fast as it can",
       [](Config& c, const std::string& v) { c.download_rates.each_bytes_per_s = bytes_per_s(v); }},
      {"downloads.total_bytes_per_second", "0", "how fast all of them together go at most; 0: as fast as they can",
       [](Config& c, const std::string& v) { c.download_rates.together_bytes_per_s = bytes_per_s(v); }},
      {"downloads.redirect_url", "", "where devices get the bytes instead: a URL with {sha256} or {file} in it; empty: here",
       [](Config& c, const std::string& v) { c.redirect_url = artifact_url(v); }},
      {"downloads.store_key", "", "that is an S3-compatible store: the id of an access key that may read there, and links are presigned",
       [](Config& c, const std::string& v) { c.store_key.id = v.empty() ? v : store_word(v); }},
      {"downloads.store_secret", "", "its secret",
       [](Config& c, const std::string& v) { c.store_key.secret = v; }},
      {"downloads.store_region", "us-east-1", "the store's region",
       [](Config& c, const std::string& v) { c.store_key.region = store_word(v); }},
      {"downloads.store_link_life", "1h", "how long such a link is good, at most a week",
       [](Config& c, const std::string& v) {
         c.store_key.life = std::chrono::ceil<seconds>(duration_within(v, seconds(1), http::StoreKey::kLifeMax));
       }},
      {"retry.backoff_base", "1m", "wait before the first retry; doubled for each further one, at most an hour",
       [](Config& c, const std::string& v) {
         c.settings.retry_backoff_base = duration_within(v, milliseconds(10), hours(1));
       }},
      {"firmware.extra_formats", "", "file extensions to accept beside bin, hex, elf, tar.gz, zip; comma separated",
       [](Config& c, const std::string& v) { c.extra_formats = words(v); }},
      {"firmware.fetch", "on", "on or off: bring the bytes of firmware that is registered by URL; any URL that an admin names",
       [](Config& c, const std::string& v) { c.fetch_firmware = on_or_off(v); }},
      {"firmware.signature_keys", "", "PEM files with Ed25519 public keys that verify firmware's signatures; comma separated",
       [](Config& c, const std::string& v) {
         c.signature_key_files.clear();
         for (const auto& file : words(v)) c.signature_key_files.emplace_back(file);
       }},
      {"firmware.require_signature", "off", "on or off: firmware is registered only with a signature that verifies",
       [](Config& c, const std::string& v) { c.require_signature = on_or_off(v); }},
      {"audit.record_reads", "off", "on or off: whoever reads the audit is written into it; for where callers are authenticated",
       [](Config& c, const std::string& v) { c.record_audit_reads = on_or_off(v); }},
      {"backup.directory", "", "where backups are taken to, for this service alone; empty: none are taken",
       [](Config& c, const std::string& v) { c.backup_directory = v; }},
      {"backup.every", "0s", "how often one is taken by itself; 0s: only when somebody asks",
       [](Config& c, const std::string& v) {
         c.backup_every = std::chrono::ceil<milliseconds>(duration_within(v, milliseconds(0), hours(24 * 365)));
       }},
      {"backup.keep", "7", "how many of them stay",
       [](Config& c, const std::string& v) { c.backups_kept = number(v, 1, 100'000); }},
      {"log.keep_free", "256000000", "bytes of its disk: with less nothing is written and 503 is answered until there is room; 0: to the last",
       [](Config& c, const std::string& v) { c.keep_free = number(v, 0, 1'000'000'000'000'000); }},
      {"log.verify_every", "24h", "how often the log is verified by itself, gently; 0s: only when somebody asks",
       [](Config& c, const std::string& v) {
         c.verify_every = std::chrono::ceil<milliseconds>(duration_within(v, milliseconds(0), hours(24 * 365)));
       }},
      {"log.replace_lost_key", "off", "on or off: if the key that signs the log is missing, go on with a new one; for one start",
       [](Config& c, const std::string& v) { c.replace_lost_log_key = on_or_off(v); }},
      {"nats.url", "", "NATS server, nats://host:4222, or tls://host:4222: nothing is said to it but over TLS; empty: no bus",
       [](Config& c, const std::string& v) { c.nats_url = nats_urls(v); }},
      {"nats.ca_file", "", "PEM file, with tls://: who signs the certificates of NATS servers; empty: the system's authorities",
       [](Config& c, const std::string& v) { c.nats_ca_file = v; }},
      {"nats.device_deleted", "device_service.device.deleted", "subject on which deleted devices are announced",
       [](Config& c, const std::string& v) { c.nats_device_deleted = v; }},
      {"nats.user_deleted", "account_service.user.deleted", "subject on which deleted users are announced",
       [](Config& c, const std::string& v) { c.nats_user_deleted = v; }},
      {"mqtt.host", "", "host of the MQTT listener of a nats-server; empty: no devices over MQTT",
       [](Config& c, const std::string& v) { c.mqtt.host = v; }},
      {"mqtt.port", "1883", "its port",
       [](Config& c, const std::string& v) { c.mqtt.port = static_cast<std::uint16_t>(number(v, 1, 65'535)); }},
      {"mqtt.user", "", "user name there; empty: none",
       [](Config& c, const std::string& v) { c.mqtt.user = v; }},
      {"mqtt.password", "", "and the password; better in the environment or the file than as a flag",
       [](Config& c, const std::string& v) { c.mqtt.password = v; }},
      {"mqtt.ca_file", "", "PEM file: TLS to the listener, whose certificate it signs; empty: no TLS",
       [](Config& c, const std::string& v) { c.mqtt.ca_file = v; }},
      {"mqtt.nats_url", "", "the same server over NATS, nats://user:password@host:port, or tls://..; empty: nats.url",
       [](Config& c, const std::string& v) { c.mqtt.nats_url = nats_urls(v); }},
      {"mqtt.stream_max_bytes", "1073741824", "what devices say is kept until it is heard: so many bytes of it, the oldest make room",
       [](Config& c, const std::string& v) {
         constexpr std::uint64_t kLeast = 1'048'576;
         c.mqtt.stream_bytes_max = static_cast<std::int64_t>(number(v, kLeast, 1'000'000'000'000'000));
       }},
  };
  return table;
}

}  // namespace ota::tools
