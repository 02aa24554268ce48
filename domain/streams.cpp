#include "domain/streams.hpp"

#include <algorithm>

namespace ota::domain {

bool moves_a_campaign(const Event& e) {
  return std::holds_alternative<AttemptGranted>(e) || std::holds_alternative<AttemptStarted>(e) ||
         std::holds_alternative<AttemptEnded>(e) || std::holds_alternative<GrantLapsed>(e) ||
         std::holds_alternative<UpdateSkipped>(e) || std::holds_alternative<UpdateCancelled>(e) ||
         std::holds_alternative<RetryAsked>(e) || std::holds_alternative<UpdateRequested>(e) ||
         std::holds_alternative<ConsentAsked>(e) || std::holds_alternative<UpdateHeld>(e) ||
         std::holds_alternative<UpdateRefuted>(e) || std::holds_alternative<UpdateUndone>(e);
}

namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
// Some compilers do not find it by themselves yet.
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

std::string named(char kind, std::string_view id) {
  std::string name(1, kind);
  name += id;
  return name;
}

// Big endian, as positions are.
std::string bytes_of(Caller token) {
  std::string bytes(sizeof(token.token), '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(token.token >> (8 * (bytes.size() - 1 - i)));
  return bytes;
}
std::optional<Caller> token_of(std::string_view bytes) {
  Caller caller;
  if (bytes.size() != sizeof(caller.token)) return std::nullopt;
  for (const char c : bytes) caller.token = caller.token << 8 | static_cast<unsigned char>(c);
  return caller;
}

std::optional<Bytes16> bytes_16(std::string_view id) {
  if (id.size() != 16) return std::nullopt;
  Bytes16 bytes;
  std::copy(id.begin(), id.end(), reinterpret_cast<char*>(bytes.data()));
  return bytes;
}

// Of all progress the device follows only this: it may be done but for its version (decision 12).
bool is_rebooting(const Event& e) {
  const auto* progress = std::get_if<ProgressReported>(&e);
  return progress && progress->phase == UpdateStatus::kRebooting;
}

bool concerns_the_device(const Event& e) {
  return moves_a_campaign(e) || is_rebooting(e) || std::holds_alternative<CancelRequested>(e) ||
         std::holds_alternative<CancelRefused>(e) || std::holds_alternative<ConsentGiven>(e);
}

bool moves_the_gate(const Event& e) {
  return std::holds_alternative<CampaignStarted>(e) || std::holds_alternative<CampaignPaused>(e) ||
         std::holds_alternative<CampaignResumed>(e) || std::holds_alternative<CampaignAborted>(e) ||
         std::holds_alternative<CampaignCancelled>(e) || std::holds_alternative<CampaignClosed>(e) ||
         std::holds_alternative<CampaignFinished>(e) || std::holds_alternative<CampaignRollbackBegun>(e);
}

}  // namespace

std::string stream_name(const Stream& stream) {
  return std::visit(Overloaded{[](const DirectoryStream&) { return std::string("D"); },
                               [](const FirmwareId& id) { return named('f', view_of(id.bytes)); },
                               [](const CampaignId& id) { return named('c', view_of(id.bytes)); },
                               [](const DeviceId& id) { return named('d', id.value); },
                               [](const UpdateId& id) { return named('u', to_binary(id)); },
                               [](const DownloadsStream& s) { return named('x', view_of(s.firmware.bytes)); },
                               [](const UserStream& s) { return named('p', bytes_of(s.token)); },
                               [](const ServiceStream&) { return std::string("S"); },
                               [](const AuditStream&) { return std::string("A"); }},
                    stream);
}

std::optional<Stream> parse_stream(std::string_view name) {
  if (name.empty()) return std::nullopt;
  const std::string_view id = name.substr(1);
  switch (name.front()) {
    case 'D': return id.empty() ? std::optional<Stream>(DirectoryStream{}) : std::nullopt;
    case 'A': return id.empty() ? std::optional<Stream>(AuditStream{}) : std::nullopt;
    case 'S': return id.empty() ? std::optional<Stream>(ServiceStream{}) : std::nullopt;
    case 'd': return id.empty() ? std::nullopt : std::optional<Stream>(DeviceId{std::string(id)});
    case 'u':
      if (const auto update = update_id_from_binary(id)) return Stream(*update);
      return std::nullopt;
    case 'p':
      if (const auto token = token_of(id)) return Stream(UserStream{*token});
      return std::nullopt;
    default: break;
  }
  const auto bytes = bytes_16(id);
  if (!bytes) return std::nullopt;
  switch (name.front()) {
    case 'f': return Stream(FirmwareId{*bytes});
    case 'c': return Stream(CampaignId{*bytes});
    case 'x': return Stream(DownloadsStream{{*bytes}});
    default: return std::nullopt;
  }
}

std::string readable_name(std::string_view name) {
  if (name.empty()) return "";
  const std::string_view id = name.substr(1);
  switch (name.front()) {
    case 'g':
      if (const auto b = bytes_16(id)) return "gate:" + to_text(CampaignId{*b});
      break;
    case 'm': return "model-version:" + std::string(id);
    case 'F': return "firmwares";
    case 'L': return "fleet";
    default: break;
  }
  const auto stream = parse_stream(name);
  if (!stream) return "unknown:" + to_hex(name);
  return std::visit(
      Overloaded{[](const DirectoryStream&) { return std::string("directory"); },
                 [](const FirmwareId& f) { return "firmware:" + to_text(f); },
                 [](const CampaignId& c) { return "campaign:" + to_text(c); },
                 [](const DeviceId& d) { return "device:" + d.value; },
                 [](const UpdateId& u) { return "update:" + to_text(u); },
                 [](const DownloadsStream& s) { return "downloads:" + to_text(s.firmware); },
                 [](const UserStream& s) { return "user:" + to_hex(bytes_of(s.token)); },
                 [](const ServiceStream&) { return std::string("service"); },
                 [](const AuditStream&) { return std::string("audit"); }},
      *stream);
}

std::string gate_tag(CampaignId id) { return named('g', view_of(id.bytes)); }
std::string model_version_tag(std::string_view model, std::string_view version) {
  return named('m', std::string(model) + "\n" + std::string(version));
}
std::string firmwares_tag() { return "F"; }
std::string fleet_tag() { return "L"; }

std::vector<std::string> tags_of(const Emitted& emitted) {
  std::vector<std::string> tags;
  if (const auto* update = std::get_if<UpdateId>(&emitted.stream)) {
    if (emitted.device && concerns_the_device(emitted.event)) tags.push_back(stream_name(*emitted.device));
    if (const auto campaign = update->campaign(); campaign && moves_a_campaign(emitted.event)) {
      tags.push_back(stream_name(*campaign));
    }
  } else if (const auto* campaign = std::get_if<CampaignId>(&emitted.stream)) {
    if (moves_the_gate(emitted.event)) tags.push_back(gate_tag(*campaign));
  } else if (std::holds_alternative<DeviceId>(emitted.stream)) {
    if (std::holds_alternative<DeviceDeleted>(emitted.event) ||
        std::holds_alternative<DeviceReturned>(emitted.event)) {
      tags.push_back(fleet_tag());
    }
  } else if (const auto* registered = std::get_if<FirmwareRegistered>(&emitted.event)) {
    tags.push_back(model_version_tag(registered->facts.device_model, registered->facts.version));
    tags.push_back(firmwares_tag());
  }
  return tags;
}

}  // namespace ota::domain
