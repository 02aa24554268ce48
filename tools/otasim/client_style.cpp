#include "tools/otasim/client_style.hpp"

#include <array>

namespace ota::sim {
namespace {

ClientStyle plain() {
  ClientStyle style;
  style.name = "plain";
  style.started = "download started";
  return style;
}

ClientStyle swupdate() {
  ClientStyle style;
  style.kind = ClientKind::kSwupdate;
  style.name = "swupdate";
  style.config_at_start = true;
  style.deployment_first = true;
  style.builds_paths = true;
  style.config_mode = "replace";
  style.expects_continue = true;
  style.heads_artifacts = true;
  style.skip = Skip::kCloses;
  style.started = "Installing Update Chunk Artifacts.";
  style.verified = "Installed Chunk.";
  style.download_tries_max = 5;
  style.takes_any_2xx = true;
  return style;
}

ClientStyle rauc() {
  ClientStyle style;
  style.kind = ClientKind::kRauc;
  style.name = "rauc";
  style.builds_paths = true;
  style.config_mode = nullptr;
  style.refusal_finished = "success";
  style.success_before_reboot = true;
  style.skip = Skip::kWaits;
  style.started = "Starting download.";
  style.verified = "File checksum OK.";
  return style;
}

ClientStyle zephyr() {
  ClientStyle style;
  style.kind = ClientKind::kZephyr;
  style.name = "zephyr";
  style.polls_after_each_step = true;
  style.polls_while_busy = false;
  style.one_connection_a_run = true;
  style.builds_paths = true;
  style.ignores_link_hosts = true;
  style.reads_cancel = false;
  style.reports_progress = false;
  style.reports_failure = false;
  style.refusal = "closed";
  style.refusal_finished = "failure";
  style.skip = Skip::kIgnores;
  style.download_tries_max = 0;
  return style;
}

}  // namespace

const ClientStyle& style_of(ClientKind kind) {
  static const std::array styles{plain(), swupdate(), rauc(), zephyr()};
  return styles[static_cast<std::size_t>(kind)];
}

ClientKind choose_client(ClientMix mix, const Choices& choices, std::string_view device) {
  constexpr std::array kReal{ClientKind::kSwupdate, ClientKind::kRauc, ClientKind::kZephyr};
  if (mix == ClientMix::kMixed) return kReal[choices.bits(device, "", "client") % kReal.size()];
  return static_cast<ClientKind>(mix);
}

CallerFields caller_fields(ClientKind kind) {
  CallerFields fields;
  switch (kind) {
    case ClientKind::kPlain:
      fields.call = "User-Agent: otasim/" OTA_VERSION "\r\nAccept: application/json\r\n";
      fields.body = "Content-Type: application/json\r\n";
      fields.artifact =
          "User-Agent: otasim/" OTA_VERSION "\r\nAccept: application/octet-stream\r\n";
      break;
    case ClientKind::kSwupdate:
      fields.call =
          "User-Agent: libcurl-agent/1.0\r\nContent-Type: application/json\r\n"
          "Accept: application/json\r\ncharsets: utf-8\r\n";
      fields.artifact =
          "User-Agent: libcurl-agent/1.0\r\nContent-Type: application/octet-stream\r\n"
          "Accept: application/octet-stream\r\ncharsets: utf-8\r\n";
      break;
    case ClientKind::kRauc:
      fields.call =
          "User-Agent: rauc-hawkbit-c-agent/1.0\r\nAccept: application/json;charset=UTF-8\r\n";
      fields.body = "Content-Type: application/json;charset=UTF-8\r\n";
      fields.artifact = "User-Agent: rauc-hawkbit-c-agent/1.0\r\nAccept: */*\r\n";
      break;
    case ClientKind::kZephyr:
      fields.body = "Content-Type: application/json;charset=UTF-8\r\n";
      break;
  }
  return fields;
}

}  // namespace ota::sim
