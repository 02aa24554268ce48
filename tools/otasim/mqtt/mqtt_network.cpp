#include "tools/otasim/mqtt/mqtt_network.hpp"

#include <mosquitto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

#include "tools/otasim/mqtt/mqtt_link.hpp"
#include "tools/otasim/net/tls_client.hpp"

namespace ota::sim {
namespace {

void must(bool fine, const std::string& what) {
  if (!fine) throw std::runtime_error(what + ": " + tls_error());
}

// One context for all, of which the library would make one a device.
SSL_CTX* context_for(const MqttSettings& settings) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  must(context != nullptr, "TLS");
  must(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1, "TLS 1.2");
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  if (settings.insecure) return context;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (settings.ca_file.empty())
    must(SSL_CTX_set_default_verify_paths(context) == 1, "the system's certificates");
  else
    must(SSL_CTX_load_verify_locations(context, settings.ca_file.c_str(), nullptr) == 1,
         settings.ca_file);
  // The name is the context's: all speak to the one broker.
  X509_VERIFY_PARAM* names = SSL_CTX_get0_param(context);
  const char* host = settings.broker.host.c_str();
  const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(names, host) == 1;
  ERR_clear_error();
  if (!is_address) must(X509_VERIFY_PARAM_set1_host(names, host, 0) == 1, "host check");
  return context;
}

}  // namespace

MqttNetwork::MqttNetwork(EventLoop& loop, MqttSettings settings)
    : loop_(loop), settings_(std::move(settings)) {
  mosquitto_lib_init();
  if (settings_.broker.tls) tls_ = context_for(settings_);
}

MqttNetwork::~MqttNetwork() {
  for (const int fd : forgotten_) ::close(fd);
  SSL_CTX_free(tls_);
  mosquitto_lib_cleanup();
}

std::uint64_t MqttNetwork::enter(MqttLink& link) {
  const std::uint64_t token = kMqttTokens | ++last_token_;
  links_.emplace(token, &link);
  return token;
}

void MqttNetwork::leave(std::uint64_t token) { links_.erase(token); }

MqttLink* MqttNetwork::find(std::uint64_t token) const {
  const auto found = links_.find(token);
  return found == links_.end() ? nullptr : found->second;
}

void MqttNetwork::on_ready(std::uint64_t token, std::uint32_t events) {
  if (MqttLink* link = find(token)) link->on_ready(events);
}

void MqttNetwork::keep_forgotten(int fd) {
  forgotten_.push_back(fd);
  if (forgotten_.size() <= settings_.half_open_max) return;
  ::close(forgotten_.front());
  forgotten_.pop_front();
}

}  // namespace ota::sim
