#include "tools/otad/config.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace ota::tools {
namespace {

std::string refusal(const ConfigSource& source) {
  try {
    (void)load_config(source);
  } catch (const ConfigError& fault) {
    return fault.what();
  }
  return "accepted";
}

struct File {
  explicit File(const std::string& text) : path(std::filesystem::temp_directory_path() / "otad-config-test.toml") {
    std::ofstream(path) << text;
  }
  ~File() { std::filesystem::remove(path); }
  std::filesystem::path path;
};

TEST_CASE("otad: defaults are those that --help shows") {
  const auto config = load_config({});
  CHECK(config.port == 8216);
  CHECK(config.address == "127.0.0.1");
  CHECK(config.settings.poll_sleep == std::chrono::minutes(5));
  CHECK(config.settings.first_action.value == 1'000'001);
  CHECK(config.nats_url.empty());
  ConfigSource all;
  for (const auto& help : setting_help()) {
    if (!help.fallback.empty()) all.flags.emplace_back(help.name, help.fallback);
  }
  CHECK(load_config(all).settings.retry_backoff_base == config.settings.retry_backoff_base);
}

TEST_CASE("otad: flags win over the environment, the environment over the file") {
  const File file("port = 1001\n[ddi]\nsleep = \"7s\"\ntenant = \"acme\"\n[retry]\nbackoff_base = \"2s\"\n");
  setenv("OTA_PORT", "1002", 1);
  setenv("OTA_DDI_SLEEP", "8s", 1);
  const auto config = load_config({file.path, {{"port", "1003"}}});
  unsetenv("OTA_PORT");
  unsetenv("OTA_DDI_SLEEP");
  CHECK(config.port == 1003);
  CHECK(config.settings.poll_sleep == std::chrono::seconds(8));
  CHECK(config.settings.retry_backoff_base == std::chrono::seconds(2));
  CHECK(config.tenant == "ACME");
}

TEST_CASE("otad: the log is verified once a day, unless that is set, or switched off") {
  CHECK(load_config({}).verify_every == std::chrono::hours(24));
  CHECK(load_config({{}, {{"log.verify_every", "6h"}}}).verify_every == std::chrono::hours(6));
  CHECK(load_config({{}, {{"log.verify_every", "0s"}}}).verify_every.count() == 0);
}

TEST_CASE("otad: firmware is fetched from where it is unless that is switched off") {
  CHECK(load_config({}).fetch_firmware);
  CHECK_FALSE(load_config({{}, {{"firmware.fetch", "off"}}}).fetch_firmware);
  CHECK(load_config({{}, {{"firmware.fetch", "on"}}}).fetch_firmware);
  const File file("[firmware]\nfetch = false\n");
  CHECK_FALSE(load_config({file.path, {}}).fetch_firmware);
  CHECK(refusal({{}, {{"firmware.fetch", "maybe"}}}).find("firmware.fetch = \"maybe\" (flag --firmware.fetch): on or off is wanted") == 0);
}

TEST_CASE("decision 28, BR-EVT-005: further formats, and what the bus listens to, are settings") {
  const File file("[firmware]\nextra_formats = [\"swu\", \"raucb\"]\n[nats]\ndevice_deleted = \"fleet.*.deleted\"\n");
  const auto from_file = load_config({file.path, {}});
  CHECK(from_file.extra_formats == std::vector<std::string>{"swu", "raucb"});
  CHECK(from_file.nats_device_deleted == "fleet.*.deleted");
  CHECK(load_config({{}, {{"firmware.extra_formats", "swu, zck"}}}).extra_formats == std::vector<std::string>{"swu", "zck"});
  CHECK(load_config({}).extra_formats.empty());
  CHECK(load_config({}).nats_device_deleted == "device_service.device.deleted");
  CHECK(load_config({}).nats_user_deleted == "account_service.user.deleted");
}

TEST_CASE("otad: devices over MQTT need to know where they are heard and where the bytes are") {
  CHECK(load_config({}).mqtt.host.empty());
  CHECK(refusal({{}, {{"mqtt.host", "broker"}}}) ==
        "mqtt.host is set, and neither mqtt.nats_url nor nats.url: what devices say is read there");
  CHECK(refusal({{}, {{"mqtt.host", "broker"}, {"nats.url", "nats://bus"}}}) ==
        "mqtt.host is set, and ddi.public_url is not: devices get their bytes there");
  CHECK(refusal({{}, {{"ddi.public_url", "ota.example"}}}).find("ddi.public_url = \"ota.example\"") == 0);
  CHECK(refusal({{}, {{"mqtt.port", "0"}}}).find("mqtt.port = \"0\"") == 0);
  CHECK(refusal({{}, {{"mqtt.stream_max_bytes", "7"}}}).find("mqtt.stream_max_bytes = \"7\"") == 0);
  const File file("[mqtt]\nhost = \"broker\"\nport = 8883\nuser = \"u\"\npassword = \"p\"\nca_file = \"/ca.pem\"\n"
                  "[nats]\nurl = \"nats://bus\"\n[ddi]\npublic_url = \"https://ota.example/\"\ntenant = \"acme\"\n"
                  "plug_and_play = \"off\"\n");
  const auto config = load_config({file.path, {}});
  CHECK(config.public_url == "https://ota.example");
  CHECK(config.mqtt.port == 8883);
  CHECK(config.mqtt.nats_url == "nats://bus");
  CHECK(config.mqtt.tenant == "ACME");
  CHECK_FALSE(config.mqtt.plug_and_play);
  CHECK(config.mqtt.rate.per_s == 20);
  CHECK(config.mqtt.rate.at_once == 200);
  CHECK(load_config({file.path, {{"ddi.device_rate", "5"}}}).mqtt.rate.per_s == 5);
  CHECK(load_config({file.path, {{"mqtt.nats_url", "nats://u:p@broker"}}}).mqtt.nats_url == "nats://u:p@broker");
}

TEST_CASE("otad: NATS servers are named so that TLS is meant where it is asked for") {
  const auto url = [](const std::string& text) { return load_config({{}, {{"nats.url", text}}}).nats_url; };
  CHECK(url(" tls://bus:4222 ") == "tls://bus:4222");
  CHECK(url("nats://one, tls://two ,three:4222") == "nats://one,tls://two,three:4222");
  CHECK(url("").empty());
  for (const auto* setting : {"nats.url", "mqtt.nats_url"}) {
    for (const auto* text : {"TLS://bus", "https://bus", "nats://one,tsl://two"}) {
      CHECK(refusal({{}, {{setting, text}}}) ==
            fmt::format("{0} = \"{1}\" (flag --{0}): nats://host:4222 or tls://host:4222 is wanted", setting, text));
    }
  }
}

TEST_CASE("otad: an authority of NATS servers is for those that are spoken to over TLS") {
  CHECK(refusal({{}, {{"nats.url", "nats://bus"}, {"nats.ca_file", "ca.pem"}}}) ==
        "nats.ca_file = \"ca.pem\": neither nats.url nor mqtt.nats_url begins with tls://");
  CHECK(load_config({{}, {{"nats.url", "tls://bus"}, {"nats.ca_file", "ca.pem"}}}).nats_ca_file == "ca.pem");
  const auto config = load_config({{}, {{"mqtt.host", "broker"}, {"mqtt.nats_url", "tls://broker"}, {"nats.ca_file", "ca.pem"},
                                        {"ddi.public_url", "https://ota.example"}}});
  CHECK(config.mqtt.nats_ca_file == "ca.pem");
}

TEST_CASE("otad: who issued a certificate is named by one word, and a header with names needs somebody who may set it") {
  const auto split = refusal({{}, {{"ddi.authorities", "CN=Device CA,O=Acme"}}});
  CHECK(split.find("ddi.authorities") != std::string::npos);
  CHECK(split.find("\"CN=Device CA\": a name or a hash of the issuer is wanted") != std::string::npos);
  CHECK(refusal({{}, {{"ddi.identity_header", "X-Controller-Id"}}}) ==
        "ddi.identity_header = \"X-Controller-Id\": nobody is believed who sends it, http.trusted_proxies names no network");
  CHECK(load_config({{}, {{"ddi.identity_header", "X-Controller-Id"}, {"http.trusted_proxies", "10.0.0.0/8"}}})
            .device_auth.identity_header == "X-Controller-Id");
}

TEST_CASE("otad: what is unknown or cannot be is refused with its name, its value and where it came from") {
  CHECK(refusal({{}, {{"prot", "1"}}}) == "unknown setting prot (flag --prot)");
  const auto port = refusal({{}, {{"port", "70000"}}});
  CHECK(port.find("port = \"70000\" (flag --port)") != std::string::npos);
  CHECK(port.find("65535") != std::string::npos);
  CHECK(refusal({{}, {{"ddi.sleep", "soon"}}}).find("such as") != std::string::npos);
  CHECK(refusal({{}, {{"ddi.sleep", "25h"}}}).find("25h") != std::string::npos);
  const File broken("port = \n");
  CHECK(refusal({broken.path, {}}).find("line 1") != std::string::npos);
  const File unknown("[ddi]\nnap = \"1s\"\n");
  CHECK(refusal({unknown.path, {}}).find("ddi.nap") != std::string::npos);
}

TEST_CASE("otad: what would only show much later is refused at the start") {
  const auto refused = [](const std::string& name, const std::string& value) {
    return refusal({{}, {{name, value}}}).find(fmt::format("{} = \"{}\" (flag --{}): ", name, value, name)) == 0;
  };
  for (const auto* name : {"http.address", "tls.address"}) {
    CHECK(refused(name, "banana"));
    CHECK(refused(name, ""));
  }
  for (const auto* tenant : {"", "a/b", "a\"b", "a b", "\xC3\xA4"}) CHECK(refused("ddi.tenant", tenant));
  for (const auto* name : {"ddi.version_attribute", "ddi.client_attribute"}) {
    CHECK(refused(name, ""));
    CHECK(refused(name, "a\nb"));
  }
  for (const auto* clients : {"SF-100", "=zephyr", "SF-100=banana", "SF-100=zephyr,SF-100=rauc"}) {
    CHECK(refused("ddi.client_of_model", clients));
  }
  CHECK(load_config({{}, {{"ddi.client_of_model", "SF-100=zephyr, a=b=rauc"}}}).client_of_model ==
        std::map<std::string, std::string>{{"SF-100", "zephyr"}, {"a=b", "rauc"}});
  CHECK(refused("ddi.identity_header", "X Controller"));
  CHECK(refused("ddi.authority_header", ""));
  CHECK(refused("ddi.public_url", "https://a b"));
  CHECK(refused("ddi.public_url", "https://"));
  CHECK(refused("downloads.redirect_url", "foo/{file}"));
  CHECK(refused("downloads.redirect_url", "https://cdn.example/fw"));
  const std::string cdn = "https://cdn.example/fw/{sha256}/{file}";
  CHECK(load_config({{}, {{"downloads.redirect_url", cdn}}}).redirect_url == cdn);
  CHECK(refused("ddi.blocked_addresses", "somewhere"));
  CHECK(refused("downloads.store_key", "AK/IA"));
  CHECK(refused("downloads.store_region", ""));
  CHECK(refused("downloads.store_link_life", "8d"));
  CHECK_THROWS_AS(load_config({{}, {{"downloads.store_key", "AKIA"}}}), ConfigError);    // no secret
  using Flags = std::vector<std::pair<std::string, std::string>>;
  const Flags store{{"downloads.store_key", "AKIA"}, {"downloads.store_secret", "s"}};
  CHECK_THROWS_AS(load_config({{}, store}), ConfigError);                                // and nowhere to go
  Flags whole = store;
  whole.emplace_back("downloads.redirect_url", cdn + "?a=b");
  CHECK_THROWS_AS(load_config({{}, whole}), ConfigError);
  whole.back().second = cdn;
  CHECK(load_config({{}, whole}).store_key.life == std::chrono::hours(1));
  CHECK(load_config({{}, {{"http.address", "::1"}}}).address == "::1");
}

TEST_CASE("otad: backups do not go among what the service keeps") {
  const auto with_backups_in = [](const std::string& place) {
    return refusal({{}, {{"data", "/nowhere/data"}, {"backup.directory", place}}});
  };
  for (const auto* place : {"/nowhere/data", "/nowhere/data/", "/nowhere/data/log", "/nowhere/data/log/more", "/nowhere/data/x/../views"}) {
    CHECK(with_backups_in(place).find(fmt::format("backup.directory = \"{}\": ", place)) == 0);
  }
  for (const auto* place : {"/nowhere/data/backups", "/nowhere/backups", "/nowhere/data-log"}) {
    CHECK(load_config({{}, {{"data", "/nowhere/data"}, {"backup.directory", place}}}).backup_directory == place);
  }
}

TEST_CASE("otad: a proxy's word on who a device is counts only where that is asked for") {
  CHECK(load_config({}).device_auth.identity_header.empty());
  CHECK(load_config({{}, {{"http.trusted_proxies", "10.0.0.0/8"}}}).device_auth.identity_header.empty());
  CHECK(load_config({{}, {{"ddi.authorities", "Acme Device CA , Other CA"}}}).device_auth.authorities ==
        std::vector<std::string>{"Acme Device CA", "Other CA"});
}

TEST_CASE("otad: half of what TLS needs is none of it") {
  for (const auto* name : {"tls.certificate", "tls.key", "tls.client_ca"}) {
    CHECK(refusal({{}, {{name, "x.pem"}}}) == fmt::format("{} = \"x.pem\": tls.port is missing, without which there is no TLS", name));
  }
}

TEST_CASE("otad: a value of the file that is of no use is named") {
  const File number("[ddi]\nsleep_jitter = 1.5\n");
  CHECK(refusal({number.path, {}}).find("ddi.sleep_jitter = 1.5 (") == 0);
  const File date("[http]\nthreads = 2024-01-01\n");
  CHECK(refusal({date.path, {}}).find("http.threads = 2024-01-01 (") == 0);
}

}  // namespace
}  // namespace ota::tools
