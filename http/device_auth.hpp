// Who may act for a device (spec/ddi.md section 8). Any thread.
//
// In this order, the first that holds: a client certificate that our own listener verified; the headers of a trusted proxy
// that did; the device's own token; a gateway's token; a signed link, for the bytes alone; and, only where an operator
// says so, nobody at all. Whatever it is, it stands for the device of the path and no other. A credential that is wrong
// is not overlooked because another way would have been open.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/words.hpp"
#include "http/device_auth_options.hpp"
#include "http/request_context.hpp"
#include "http/secrets.hpp"
#include "projections/poll_index.hpp"

namespace ota::http {

enum class DeviceIdentity : std::uint8_t {
  kCertificate = 1,
  kProxyHeader = 2,
  kTargetToken = 3,
  kGatewayToken = 4,
  kSignedLink = 5,
  kAnonymous = 6,
};

class DeviceAuth {
 public:
  DeviceAuth(DeviceAuthOptions options, std::string_view secret);

  // What lets this request act for `device`; empty: nothing does (401). `known`: what is known of the device.
  std::optional<DeviceIdentity> identify(const RequestContext& request, std::string_view device,
                                         const std::optional<projections::PollRecord>& known, domain::Time now) const;
  // The same for a request for bytes, whose link may be signed.
  std::optional<DeviceIdentity> identify_download(const RequestContext& request, std::string_view device,
                                                  const std::optional<projections::PollRecord>& known,
                                                  domain::Time now) const;

  std::string token(std::string_view device, std::uint32_t generation) const;
  // What is put behind a link's path for it to be good by itself: "?expires=...&signature=...". It stays the same for some
  // time, so that answers do.
  std::string signed_query(std::string_view path, domain::Time now) const;
  const DeviceAuthOptions& options() const { return options_; }

 private:
  bool is_target_token(std::string_view token, std::string_view device, const projections::PollRecord& known,
                       domain::Time now) const;
  bool is_gateway_token(std::string_view token) const;
  bool has_authority(const RequestContext& request) const;
  bool is_signed(const RequestContext& request, domain::Time now) const;

  const DeviceAuthOptions options_;
  const Secrets secrets_;
};

}  // namespace ota::http
