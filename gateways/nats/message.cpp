#include "gateways/nats/message.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "domain/ids.hpp"

namespace ota::gateways::nats {
namespace {

using nlohmann::ordered_json;

// RFC 4122, appendix C: names that are URLs.
constexpr std::array<std::uint8_t, 16> kNamespace{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1,
                                                  0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};

std::string name_based_uuid(std::string_view name) {
  std::string text(domain::view_of(kNamespace));
  text += name;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
    throw std::runtime_error("SHA-1 is not available in this OpenSSL; message ids need it");
  }
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0f) | 0x50);  // version 5
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3f) | 0x80);  // variant of RFC 4122
  const auto hex = domain::to_hex({reinterpret_cast<const char*>(digest.data()), 16});
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' +
         hex.substr(16, 4) + '-' + hex.substr(20);
}

}  // namespace

std::string message_id(domain::Position position, domain::Time time) {
  return name_based_uuid(
      fmt::format("ota_service:{}:{}", position.value, time.time_since_epoch().count()));
}

std::string iso_time(domain::Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

Message make_message(domain::Position position, domain::Time time, std::string_view type,
                     std::string_view correlation, ordered_json data) {
  Message message;
  message.position = position;
  message.id = message_id(position, time);
  message.subject = fmt::format("ota_service.{}", type);
  ordered_json metadata;
  metadata["correlation_id"] =
      correlation.empty() ? ordered_json(nullptr) : ordered_json(correlation);
  metadata["position"] = position.value;
  ordered_json envelope;
  envelope["id"] = message.id;
  envelope["type"] = type;
  envelope["source"] = "ota_service";
  envelope["subject"] = message.subject;
  envelope["timestamp"] = iso_time(time);
  envelope["data"] = std::move(data);
  envelope["metadata"] = std::move(metadata);
  envelope["version"] = "1.0.0";
  // Text that is no UTF-8 must not stop everything behind it.
  message.body = envelope.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  return message;
}

}  // namespace ota::gateways::nats
